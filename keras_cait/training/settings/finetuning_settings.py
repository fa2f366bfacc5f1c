"""Settings of a recipe that fine-tunes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_cait.command_line.flags import option
from keras_cait.training.settings.run_settings import RunSettings
from keras_cait.training.settings.weights_source import WeightsSource


@dataclass(frozen=True, kw_only=True)
class FinetuningSettings(RunSettings, WeightsSource):
    """Settings of a recipe that fine-tunes."""

    group: ClassVar[str] = "Fine-tuning"

    teacher: str | None = option(None, "a .keras file, or an architecture by name")
    distillation: Literal["hard", "soft"] = option("hard", "distillation loss")
    alpha: float = option(0.5, "weight of the distillation loss, 0 to 1")
    temperature: float = option(3.0, "temperature of soft distillation, above 0")
    scratch: bool = option(False, "also train the model from random weights")

    def __post_init__(self) -> None:
        super().__post_init__()
        WeightsSource.__post_init__(self)  # not a base of the other
        self._check("alpha", 0 <= self.alpha <= 1, "in [0, 1]")
        self._check("temperature", self.temperature > 0, "above 0")
        self._check("std", min(self.std or (1,)) > 0, "above 0")
