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
    """One of the fifteen operations."""

    # From a magnitude, in [0, 10], and a sign, -1 or 1: all float64 scalars.
    argument: Callable[[Tensor, Tensor], Tensor]
    transform: Callable[[Tensor, Tensor, Tensor], Tensor]  # of image, argument, fill


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


def _moving(transform: Callable, furthest: float) -> Operation:
    """Operation with a distance or angle up to `furthest` to either side."""
    return Operation(
        argument=lambda magnitude, sign: sign * (magnitude / HIGHEST * furthest),
        transform=transform,
    )


def _rising(transform: Callable, largest: int) -> Operation:
    """Operation with an integer from 0 to `largest`."""
    return _without_fill(
        transform, lambda magnitude, sign: tf.floor(magnitude / HIGHEST * largest)
    )


def _falling(transform: Callable, largest: int) -> Operation:
    """Operation with an integer from `largest` to 0."""
    return _without_fill(
        transform,
        lambda magnitude, sign: largest - tf.floor(magnitude / HIGHEST * largest),
    )


def _away_from_one(magnitude: Tensor, sign: Tensor) -> Tensor:
    return tf.maximum(1 + sign * (magnitude / HIGHEST * 0.9), 0.1)


def _weak_to_strong(magnitude: Tensor, sign: Tensor) -> Tensor:
    return magnitude / HIGHEST * 1.8 + 0.1


# In timm's order; an operation is drawn by its index.
INCREASING = {
    "AutoContrast": _without_argument(operations.auto_contrast),
    "Equalize": _without_argument(operations.equalize),
    "Invert": _without_argument(operations.invert),
    "Rotate": _moving(affine.rotate, 30.0),
    "PosterizeIncreasing": _falling(operations.posterize, 4),
    "SolarizeIncreasing": _falling(operations.solarize, 256),
    "SolarizeAdd": _rising(operations.solarize_add, 110),
    "ColorIncreasing": _without_fill(color.saturation, _away_from_one),
    "ContrastIncreasing": _without_fill(color.contrast, _away_from_one),
    "BrightnessIncreasing": _without_fill(color.brightness, _away_from_one),
    "SharpnessIncreasing": _without_fill(filters.sharpness, _away_from_one),
    "ShearX": _moving(affine.shear_x, 0.3),
    "ShearY": _moving(affine.shear_y, 0.3),
    "TranslateXRel": _moving(affine.translate_x, 0.45),
    "TranslateYRel": _moving(affine.translate_y, 0.45),
}
"""Operations whose effect gets stronger as the magnitude increases."""

_NOT_INCREASING = {
    "PosterizeIncreasing": _rising(operations.posterize, 4),
    "SolarizeIncreasing": _rising(operations.solarize, 256),
    "ColorIncreasing": _without_fill(color.saturation, _weak_to_strong),
    "ContrastIncreasing": _without_fill(color.contrast, _weak_to_strong),
    "BrightnessIncreasing": _without_fill(color.brightness, _weak_to_strong),
    "SharpnessIncreasing": _without_fill(filters.sharpness, _weak_to_strong),
}

ORIGINAL = {
    name.removesuffix("Increasing"): _NOT_INCREASING.get(name, operation)
    for name, operation in INCREASING.items()
}
"""The same operations with the levels of the first implementations of RandAugment."""
