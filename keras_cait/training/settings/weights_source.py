"""Settings of a program that starts from weights: model, source and statistics."""

from dataclasses import dataclass
from typing import ClassVar

from keras_cait.command_line.flags import option

Channels = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class WeightsSource:
    """A model, its weights, and the mean and std of its images."""

    group: ClassVar[str] = "Model"

    model: str | None = option(
        None, "a builder's or timm's name; not needed with a .keras file"
    )
    weights: str = option("imagenet", "imagenet, hf://owner/repo, or a file")
    mean: Channels | None = option(
        None, "mean of each channel of images in [0, 1]; by default the weights'"
    )
    std: Channels | None = option(None, "standard deviation, likewise")

    def __post_init__(self) -> None:
        if self.model is None and not self.weights.endswith(".keras"):
            raise ValueError(
                "--model must be named, unless --weights is a .keras file. "
                f"Received: --weights {self.weights}"
            )
