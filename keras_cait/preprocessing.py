"""Preprocessing of images for a model, as data, and ImageNet's statistics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # per channel, of images in [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)
INTERPOLATIONS = ("bicubic", "bilinear")


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """Preprocessing of an image for a model.

    The shorter side is resized to `image_size / crop_pct`, a crop of `image_size`
    is taken from the center, and `(x / 255 - mean) / std` follows.

    Attributes:
        image_size: Height and width of the crop, in pixels; None for those of the
            model.
        crop_pct: Crop size as a part of the resized image's side, above 0; above 1
            the image gets a black border.
        interpolation: Method of the resize, "bicubic" or "bilinear".
        mean: Mean of images in [0, 1]: one value a channel, or one for all channels.
        std: Standard deviation in the same form, above 0.

    Raises:
        ValueError: If a value is out of range.

    Example:
        >>> Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)).interpolation
        'bicubic'

    """

    image_size: tuple[int, int] | None = None
    crop_pct: float = 1.0
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD

    def __post_init__(self) -> None:
        """Converts sequences to tuples, and refuses values out of range."""
        for name in ("mean", "std"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        if len(self.mean) != len(self.std) or not all(value > 0 for value in self.std):
            raise ValueError(
                "`mean` and `std` must have as many values as the images have "
                "channels, of images in [0, 1], and `std` must be above 0. Received: "
                f"mean={self.mean}, std={self.std}"
            )
        if any(abs(value) > 2 for value in (*self.mean, *self.std)):
            raise ValueError(
                "`mean` and `std` must be of images in [0, 1]. Received: "
                f"mean={self.mean}, std={self.std}. Divide those of pixels by 255."
            )
        if not self.crop_pct > 0:
            raise ValueError(
                f"`crop_pct` must be above 0. Received: crop_pct={self.crop_pct}"
            )
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"`interpolation` must be one of {', '.join(INTERPOLATIONS)}. "
                f"Received: interpolation={self.interpolation!r}"
            )
        if self.image_size is not None:
            object.__setattr__(self, "image_size", _size(self.image_size))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width. Raises `ValueError` if they are None."""
        if self.image_size is None:
            raise ValueError(
                "Expected a `Preprocessing` with an `image_size`, such as "
                "preprocessing_for(model). Received: image_size=None"
            )
        return self.image_size

    @property
    def scale(self) -> tuple[float, ...]:
        """Factor of each channel of images in [0, 255]: `1 / (255 * std)`."""
        return tuple(1 / (255 * std) for std in self.std)

    @property
    def offset(self) -> tuple[float, ...]:
        """Summand of each channel, after the factor: `-mean / std`."""
        return tuple(-mean / std for mean, std in zip(self.mean, self.std, strict=True))

    def of_model(self, input_shape: Sequence[int]) -> "Preprocessing":
        """The same with the image size and the channels of a model.

        Raises:
            ValueError: If `image_size` is another one, or `mean` has neither one
                value nor one for each channel.

        """
        height, width, channels = input_shape
        if self.image_size not in (None, (height, width)):
            raise ValueError(
                "`preprocessing.image_size` must be that of the model, or None. "
                f"Received: image_size={self.image_size}, input_shape="
                f"{tuple(input_shape)}"
            )
        mean, std = self.mean, self.std
        if (mean, std) == (IMAGENET_MEAN, IMAGENET_STD):
            mean, std = imagenet_statistics(channels)
        if len(mean) == 1:
            mean, std = mean * channels, std * channels
        if len(mean) != channels:
            raise ValueError(
                "`preprocessing` must have a mean and std for each channel. Received: "
                f"mean={mean}, input_shape={tuple(input_shape)}"
            )
        return replace(self, image_size=(height, width), mean=mean, std=std)


def imagenet_statistics(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """ImageNet's mean and standard deviation of images in [0, 1], for each channel.

    Images without three channels, such as gray ones, get the mean of the three.

    Example:
        >>> [round(value, 3) for (value,) in imagenet_statistics(1)]
        [0.449, 0.226]

    """
    if channels == 3:
        return IMAGENET_MEAN, IMAGENET_STD
    mean, std = ((sum(of) / 3,) * channels for of in (IMAGENET_MEAN, IMAGENET_STD))
    return mean, std


def _numbers(name: str, values: Any) -> tuple[float, ...]:
    """Finite numbers as a tuple."""
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(
            f"`{name}` must be a sequence of numbers, one for each channel. Received: "
            f"{name}={values!r}"
        )
    return numbers


def _size(image_size: Any) -> tuple[int, int]:
    """Height and width as a tuple."""
    sides = tuple(image_size) if isinstance(image_size, Sequence) else ()
    if len(sides) != 2 or not all(side == int(side) >= 1 for side in sides):
        raise ValueError(
            "`image_size` must be height and width in pixels, or None. Received: "
            f"image_size={image_size!r}"
        )
    return int(sides[0]), int(sides[1])
