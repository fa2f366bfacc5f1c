"""Deterministic resize and center crop, for evaluation."""

import math
from dataclasses import dataclass

import tensorflow as tf

from keras_cait.data.images.decoding import decode, image_size
from keras_cait.data.images.resizing import check_interpolation, covering_size, resize
from keras_cait.preprocessing import Preprocessing
from keras_cait.range_check import check_range
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class EvaluationTransform:
    """The middle of an image, resized as in timm's evaluation.

    The image is resized, with its aspect, to the smallest size that covers
    `image_size / crop_pct`, rounded down. Then `image_size` is cut from the middle, as
    timm's `create_transform` does with `crop_mode="center"`. The pixels are those of
    PIL; Keras's layers for both have neither these nor timm's rounding.
    """

    image_size: tuple[int, int] = (224, 224)  # height and width in pixels
    # Part of the resized image's side that is kept; above 1 adds black, 0, around it.
    crop_pct: float = 0.875
    interpolation: str = "bicubic"  # or "bilinear"
    channels: int | None = None  # as of `decode`

    def __post_init__(self) -> None:
        check_interpolation(self.interpolation)
        check_range(self.crop_pct > 0, "above 0", crop_pct=self.crop_pct)

    @classmethod
    def from_preprocessing(
        cls,
        preprocessing: Preprocessing,
        *,
        image_size: tuple[int, int] | None = None,
        channels: int | None = 3,
    ) -> "EvaluationTransform":
        """The transform of a model's preprocessing, by default of its image size."""
        return cls(
            image_size=preprocessing.size if image_size is None else image_size,
            crop_pct=preprocessing.crop_pct,
            interpolation=preprocessing.interpolation,
            channels=channels,
        )

    def __call__(self, record: Tensor, seed: Tensor | None = None) -> Tensor:
        """Transforms one record, as of `decode`, to `(*image_size, channels)` uint8.

        The seed is ignored: it allows this transform in a row of random ones. A record
        of that size is returned unchanged if `crop_pct` is 1.
        """
        image = decode(record, self.channels)
        if self.crop_pct == 1 and image.shape[:2] == self.image_size:
            return image
        height, width = self.image_size
        covered = (
            math.floor(height / self.crop_pct),
            math.floor(width / self.crop_pct),
        )
        size = covering_size(*image_size(image), covered)
        top, left = _margin(size[0], height), _margin(size[1], width)
        return resize(image, size, self.interpolation, (top, left, height, width))


def _margin(side: Tensor, kept: int) -> Tensor:
    """Pixels to cut before the middle of a side, or minus the pixels to add.

    Half of the difference, rounded to the nearest even number; of an odd number of
    pixels to add, the larger half comes behind.
    """
    removed = tf.cast(tf.round((side - kept) / 2), "int32")
    added = (kept - side) // 2
    return tf.where(side < kept, -added, removed)
