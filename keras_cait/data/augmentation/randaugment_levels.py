"""Operations of RandAugment with their level at each magnitude, as in timm 1.0.31."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from keras_cait.data.augmentation import affine, color, filters
from keras_cait.data.augmentation import point_operations as operations
from keras_cait.typing import Tensor

HIGHEST = 10.0  # the top of the scale of magnitudes


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One of the fifteen operations.

    Attributes:
        argument: Maps a magnitude, in [0, 10], and a sign, -1 or 1, to the argument of
            the transform, all float64 scalars.
        transform: Maps an image, the argument and the fill to an image.
    """

    argument: Callable[[Tensor, Tensor], Tensor]
    transform: Callable[[Tensor, Tensor, Tensor], Tensor]


def _without_argument(transform: Callable) -> Operation:
    return Operation(
        argument=lambda magnitude, sign: tf.zeros_like(magnitude),
        transform=lambda image, argument, fill: transform(image),
    )


def _without_fill(transform: Callable, argument: Callable) -> Operation:
    return Operation(
        argument=argument,
        transform=lambda image, argument, fill: transform(image, argument),
    )


def _affine(transform: Callable, furthest: float) -> Operation:
    return Operation(
        argument=lambda magnitude, sign: sign * (magnitude / HIGHEST * furthest),
        transform=transform,
    )


def _whole(magnitude: Tensor, largest: int) -> Tensor:
    return tf.floor(magnitude / HIGHEST * largest)


def _bits_dropped(magnitude: Tensor, sign: Tensor) -> Tensor:
    return 4 - _whole(magnitude, 4)


def _bits_kept(magnitude: Tensor, sign: Tensor) -> Tensor:
    return _whole(magnitude, 4)


def _threshold_falling(magnitude: Tensor, sign: Tensor) -> Tensor:
    return 256 - _whole(magnitude, 256)


def _threshold_rising(magnitude: Tensor, sign: Tensor) -> Tensor:
    return _whole(magnitude, 256)


def _addition(magnitude: Tensor, sign: Tensor) -> Tensor:
    return _whole(magnitude, 110)


def _away_from_one(magnitude: Tensor, sign: Tensor) -> Tensor:
    return tf.maximum(1 + sign * (magnitude / HIGHEST * 0.9), 0.1)


def _weak_to_strong(magnitude: Tensor, sign: Tensor) -> Tensor:
    return magnitude / HIGHEST * 1.8 + 0.1


# The order is timm's; an operation is drawn by its place.
INCREASING = {
    "AutoContrast": _without_argument(operations.auto_contrast),
    "Equalize": _without_argument(operations.equalize),
    "Invert": _without_argument(operations.invert),
    "Rotate": _affine(affine.rotate, 30.0),
    "PosterizeIncreasing": _without_fill(operations.posterize, _bits_dropped),
    "SolarizeIncreasing": _without_fill(operations.solarize, _threshold_falling),
    "SolarizeAdd": _without_fill(operations.solarize_add, _addition),
    "ColorIncreasing": _without_fill(color.saturation, _away_from_one),
    "ContrastIncreasing": _without_fill(color.contrast, _away_from_one),
    "BrightnessIncreasing": _without_fill(color.brightness, _away_from_one),
    "SharpnessIncreasing": _without_fill(filters.sharpness, _away_from_one),
    "ShearX": _affine(affine.shear_x, 0.3),
    "ShearY": _affine(affine.shear_y, 0.3),
    "TranslateXRel": _affine(affine.translate_x, 0.45),
    "TranslateYRel": _affine(affine.translate_y, 0.45),
}
"""Operations whose effect gets stronger as the magnitude increases."""

_OTHERWISE = {
    "PosterizeIncreasing": _without_fill(operations.posterize, _bits_kept),
    "SolarizeIncreasing": _without_fill(operations.solarize, _threshold_rising),
    "ColorIncreasing": _without_fill(color.saturation, _weak_to_strong),
    "ContrastIncreasing": _without_fill(color.contrast, _weak_to_strong),
    "BrightnessIncreasing": _without_fill(color.brightness, _weak_to_strong),
    "SharpnessIncreasing": _without_fill(filters.sharpness, _weak_to_strong),
}

ORIGINAL = {
    name.removesuffix("Increasing"): _OTHERWISE.get(name, operation)
    for name, operation in INCREASING.items()
}
"""The same operations with the levels of the first implementations of RandAugment."""
