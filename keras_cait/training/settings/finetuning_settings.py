"""Settings of a recipe that fine-tunes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_cait.training.settings.flags import option
from keras_cait.training.settings.run_settings import RunSettings

Channels = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class FinetuningSettings(RunSettings):
    """Settings of a recipe that fine-tunes."""

    group: ClassVar[str] = "Model and teacher"

    model: str | None = option(
        None, "a builder's or timm's name; not needed with a .keras file"
    )
    weights: str = option("imagenet", "imagenet, hf://owner/repo, or a file")
    teacher: str | None = option(None, "a .keras file, or an architecture by name")
    distillation: Literal["hard", "soft"] = option("hard", "distillation loss")
    alpha: float = option(0.5, "weight of the distillation loss, 0 to 1")
    temperature: float = option(3.0, "temperature of soft distillation, above 0")
    scratch: bool = option(False, "also train the model from random weights")
    mean: Channels | None = option(
        None, "mean of each channel of images in [0, 1]; by default the weights'"
    )
    std: Channels | None = option(None, "standard deviation, likewise")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("alpha", 0 <= self.alpha <= 1, "in [0, 1]")
        self._check("temperature", self.temperature > 0, "above 0")
        self._check("std", min(self.std or (1,)) > 0, "above 0")
        if self.model is None and not self.weights.endswith(".keras"):
            raise ValueError(
                "--model must be named, unless --weights is a .keras file. "
                f"Received: --weights {self.weights}"
            )
