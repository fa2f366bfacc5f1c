"""Deterministic resize and center crop, for evaluation."""

import math
from dataclasses import dataclass

import tensorflow as tf

from keras_cait.data.images.decoding import decode, image_size
from keras_cait.data.images.resizing import check_interpolation, covering_size, resize
from keras_cait.data.range_check import check_range
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class EvaluationTransform:
    """The middle of an image, resized as in timm's evaluation.

    The image is resized, with its aspect, to the smallest size that covers
    `image_size / crop_pct`, rounded down, and `image_size` is cut from the middle.
    The pixels are those of PIL; Keras's layers for both have neither these nor timm's
    rounding.

    Attributes:
        image_size: Height and width of the result, in pixels.
        crop_pct: Part of the resized image's side that is kept, above 0. Above 1
            the image is surrounded by black, 0.
        interpolation: "bicubic" or "bilinear".
        channels: 3 or 1; None keeps those of a decoded image and makes an encoded
            one 3.

    Raises:
        ValueError: If `crop_pct` is not above 0 or there is no such interpolation.

    Example:
        >>> EvaluationTransform(crop_pct=0.9)(tf.zeros((30, 40, 3), "uint8")).shape
        TensorShape([224, 224, 3])

    Reference:
        timm's `create_transform` with `crop_mode="center"`.

    """

    image_size: tuple[int, int] = (224, 224)
    crop_pct: float = 0.875
    interpolation: str = "bicubic"
    channels: int | None = None

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
        """The transform that a model's preprocessing describes.

        Args:
            preprocessing: Preprocessing of the model.
            image_size: Height and width in pixels; those of the preprocessing if None.
            channels: As of `EvaluationTransform`.

        """
        return cls(
            image_size=preprocessing.size if image_size is None else image_size,
            crop_pct=preprocessing.crop_pct,
            interpolation=preprocessing.interpolation,
            channels=channels,
        )

    def __call__(self, record: Tensor, seed: Tensor | None = None) -> Tensor:
        """Transforms one image.

        Args:
            record: As of `decode`.
            seed: Ignored: nothing is random. It allows this transform in a row of
                random ones.

        Returns:
            `(*image_size, channels)` uint8; the record itself if it has that size
            and `crop_pct` is 1.

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
