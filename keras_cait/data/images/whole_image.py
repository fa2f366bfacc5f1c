"""The first view of images that are not cropped at random."""

from dataclasses import dataclass

from keras_cait.data.images.evaluation_transform import EvaluationView
from keras_cait.data.labeled_images import Record
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class WholeImage:
    """As much of an image as its size has room for, the same each time.

    Attributes:
        image_size: Height and width of the result, in pixels.
        channels: As of `EvaluationView`.

    Example:
        >>> import tensorflow as tf
        >>> WholeImage(image_size=(8, 8))(tf.zeros((10, 20, 1), "uint8"), (0, 0)).shape
        TensorShape([8, 8, 1])

    """

    image_size: tuple[int, int]
    channels: int | None = None

    def __call__(self, record: Record, seed: Tensor) -> Tensor:
        """The view of one image; every seed gives the same."""
        view = EvaluationView(
            image_size=self.image_size, crop_pct=1.0, channels=self.channels
        )
        return view(record)
