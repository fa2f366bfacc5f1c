"""Settings of an evaluation."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from keras_cait.command_line.flags import flag, option
from keras_cait.training.settings.image_source import ImageSource
from keras_cait.training.settings.weights_source import WeightsSource


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings(ImageSource, WeightsSource):
    """Settings of an evaluation: model, images and preprocessing."""

    group: ClassVar[str] = "Evaluation"

    match: Literal["name", "index"] = option(
        "name", "match the classes of images and model by it"
    )
    image_size: int | None = option(None, "side in pixels; by default the model's")
    crop_pct: float | None = option(None, "part of the side; by default the model's")
    interpolation: Literal["bicubic", "bilinear"] | None = option(
        None, "resizing method; by default the model's"
    )
    batch_size: int = option(64, "images a step")
    limit: int | None = option(None, "largest number of images, drawn at random")
    per_class: bool = option(False, "print the accuracy of each class")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch_size", "limit", "image_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{flag(name)} must be 1 or more. Received: {value}")
