"""Settings of a recipe that distills."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_cait.command_line.flags import option
from keras_cait.training.settings.run_settings import RunSettings

_ALPHA = {"hard": 0.5, "soft": 0.9, "none": 0.0}


@dataclass(frozen=True, kw_only=True)
class DistillationSettings(RunSettings):
    """Settings of a recipe that distills."""

    group: ClassVar[str] = "Distillation"

    student: str = option("DeiT_S", "a builder's name, or embed_dim=64,depth=4,...")
    teacher: str = option("RegNetY_16GF", "a .keras file, convnet, or an architecture")
    teacher_weights: str = option("imagenet", "imagenet, none, or a file of weights")
    teacher_epochs: int = option(30, "epochs of a teacher without weights")
    teacher_learning_rate: float = option(1e-3, "its peak learning rate, unscaled")
    teacher_widths: str = option("64,128,256,512", "channels of the convnet's stages")
    teacher_blocks: int = option(1, "residual blocks in each stage of the convnet")
    distillation: Literal["hard", "soft", "none"] = option("hard", "distillation loss")
    alpha: float | None = option(
        None, "weight of the distillation loss, 0 to 1; 0.5 for hard and 0.9 for soft"
    )
    temperature: float = option(3.0, "temperature of soft distillation, above 0")
    distillation_token: bool = option(True, "a token and a head for distillation")
    baseline: bool = option(True, "also train the student without the teacher")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("alpha", self.alpha is None or 0 <= self.alpha <= 1, "in [0, 1]")
        self._check("temperature", self.temperature > 0, "above 0")
        self._check("teacher_epochs", self.teacher_epochs >= 1, "1 or more")
        whole = all(part.strip().isdecimal() for part in self.teacher_widths.split(","))
        self._check("teacher_widths", whole, "whole numbers, separated by commas")

    @property
    def distillation_weight(self) -> float:
        """`alpha`, or that of the loss."""
        return _ALPHA[self.distillation] if self.alpha is None else self.alpha
