"""What a magnitude means to each of RandAugment's operations, as in timm 1.0.31."""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from keras_cait.data.augmentation import affine, color, filters
from keras_cait.data.augmentation import point_operations as operations
from keras_cait.typing import Tensor

HIGHEST = 10.0  # the top of the scale of magnitudes


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One of the fifteen.

    Attributes:
        argument: Of magnitude, in [0, 10], and sign, -1 or 1: float64 scalars.
        transform: Of image, argument and fill: the image.
    """

    argument: Callable[[Tensor, Tensor], Tensor]
    transform: Callable[[Tensor, Tensor, Tensor], Tensor]


def _alone(transform: Callable) -> Operation:
    return Operation(
        argument=lambda magnitude, sign: tf.zeros_like(magnitude),
        transform=lambda image, argument, fill: transform(image),
    )


def _levels(transform: Callable, argument: Callable) -> Operation:
    return Operation(
        argument=argument,
        transform=lambda image, argument, fill: transform(image, argument),
    )


def _moves(transform: Callable, furthest: float) -> Operation:
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
    "AutoContrast": _alone(operations.auto_contrast),
    "Equalize": _alone(operations.equalize),
    "Invert": _alone(operations.invert),
    "Rotate": _moves(affine.rotate, 30.0),
    "PosterizeIncreasing": _levels(operations.posterize, _bits_dropped),
    "SolarizeIncreasing": _levels(operations.solarize, _threshold_falling),
    "SolarizeAdd": _levels(operations.solarize_add, _addition),
    "ColorIncreasing": _levels(color.saturation, _away_from_one),
    "ContrastIncreasing": _levels(color.contrast, _away_from_one),
    "BrightnessIncreasing": _levels(color.brightness, _away_from_one),
    "SharpnessIncreasing": _levels(filters.sharpness, _away_from_one),
    "ShearX": _moves(affine.shear_x, 0.3),
    "ShearY": _moves(affine.shear_y, 0.3),
    "TranslateXRel": _moves(affine.translate_x, 0.45),
    "TranslateYRel": _moves(affine.translate_y, 0.45),
}
"""Operations whose effect gets stronger as the magnitude increases."""

_OTHERWISE = {
    "PosterizeIncreasing": _levels(operations.posterize, _bits_kept),
    "SolarizeIncreasing": _levels(operations.solarize, _threshold_rising),
    "ColorIncreasing": _levels(color.saturation, _weak_to_strong),
    "ContrastIncreasing": _levels(color.contrast, _weak_to_strong),
    "BrightnessIncreasing": _levels(color.brightness, _weak_to_strong),
    "SharpnessIncreasing": _levels(filters.sharpness, _weak_to_strong),
}

ORIGINAL = {
    name.removesuffix("Increasing"): _OTHERWISE.get(name, operation)
    for name, operation in INCREASING.items()
}
"""The same operations with the levels of the first implementations."""
