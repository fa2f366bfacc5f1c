"""What a model is shown of an image when it is measured."""

import math
from dataclasses import dataclass

import tensorflow as tf

from keras_cait.data.images.decoding import decode, image_size
from keras_cait.data.images.resizing import check_interpolation, covering_size, resize
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class EvaluationView:
    """The middle of an image, resized: the view of timm's evaluation.

    The image is resized, with its aspect, to the smallest size that covers
    `image_size / crop_pct`, rounded down, and `image_size` is cut from the middle.
    With PIL's pixels; Keras's layers for both have neither these nor its rounding.

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
        >>> EvaluationView(crop_pct=0.9)(tf.zeros((30, 40, 3), "uint8")).shape
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
        if not self.crop_pct > 0:
            raise ValueError(
                f"`crop_pct` must be above 0. Received: crop_pct={self.crop_pct}"
            )

    def __call__(self, record: Tensor) -> Tensor:
        """The view of one image.

        Args:
            record: As of `decode`.

        Returns:
            `(*image_size, channels)` uint8; the record itself where it has that
            size and `crop_pct` is 1.

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
    """Pixels before what is kept in the middle of a side, or minus those to add.

    Half of them; what is odd goes to the nearest even number, or is added behind.
    """
    removed = tf.cast(tf.round((side - kept) / 2), "int32")
    added = (kept - side) // 2
    return tf.where(side < kept, -added, removed)
