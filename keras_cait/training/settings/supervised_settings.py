"""Settings of a recipe that trains on labels."""

from dataclasses import dataclass
from typing import ClassVar

from keras_cait.command_line.flags import option
from keras_cait.training.settings.run_settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class SupervisedSettings(RunSettings):
    """Settings of a recipe that trains one model on labels."""

    group: ClassVar[str] = "Model"

    model: str = option("DeiT_S", "a builder's name, or embed_dim=64,depth=4,...")
