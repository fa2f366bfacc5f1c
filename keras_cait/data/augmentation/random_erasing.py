"""Random erasing: rectangles of noise in training images."""

from dataclasses import dataclass

import tensorflow as tf

from keras_cait.data.images.rectangles import Rectangle, random_rectangle
from keras_cait.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from keras_cait.range_check import check_range
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class RandomErasing:
    """Replaces a rectangle of some images by normal noise, pixel by pixel.

    Zhong et al., algorithm 1, https://arxiv.org/abs/1708.04896, with the numbers of
    DeiT, table 9, https://arxiv.org/abs/2012.12877. timm's mode "pixel" fills the
    rectangle with N(0, 1) after the normalization of images. Here the model normalizes
    later, and the same noise is `255 * (mean + std * N(0, 1))`: the normalized images
    are exactly equal. Keras's layer of this name erases about half as often as its
    factor says.
    """

    prob: float = 0.25  # probability that an image gets a rectangle, in [0, 1]
    min_area: float = 0.02  # as a part of the image's
    max_area: float = 1 / 3
    min_aspect: float = 0.3  # lowest ratio of sides, in (0, 1]; the highest is 1 / it
    mean: tuple[float, ...] = IMAGENET_MEAN  # of images in [0, 1], as the model's
    std: tuple[float, ...] = IMAGENET_STD

    def __post_init__(self) -> None:
        check_range(0 <= self.prob <= 1, "in [0, 1]", prob=self.prob)
        check_range(
            0 < self.min_area <= self.max_area <= 1,
            "in (0, 1], the first no larger",
            min_area=self.min_area,
            max_area=self.max_area,
        )
        check_range(0 < self.min_aspect <= 1, "in (0, 1]", min_aspect=self.min_aspect)
        same = len(self.mean) == len(self.std)
        check_range(same, "of the same channels", mean=self.mean, std=self.std)

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """Erases a rectangle, or none, of one image, uint8 or float32 in [0, 255].

        The number of channels must be known. If it is not that of `mean`, the average
        mean and standard deviation hold for each. The result is float32; its noise is
        not clipped.
        """
        if image.shape[-1] is None:
            raise ValueError(
                "The channels of an image to erase must be known. "
                f"Received: an image of shape {image.shape}"
            )
        image = tf.cast(image, "float32")
        height, width, channels = tf.unstack(tf.shape(image))
        place, fill = tf.unstack(tf.random.experimental.stateless_split(seed))
        erases, rectangle = self.rectangle(height, width, place)

        def erased() -> Tensor:
            mean, std = self._statistics(image.shape[-1])
            noise = tf.random.stateless_normal(
                (rectangle.height, rectangle.width, channels),
                fill,
                mean=255 * mean,
                stddev=255 * std,
            )
            bottom = rectangle.top + rectangle.height
            right = rectangle.left + rectangle.width
            rows = image[rectangle.top : bottom]
            rows = [rows[:, : rectangle.left], noise, rows[:, right:]]
            rows = [image[: rectangle.top], tf.concat(rows, axis=1), image[bottom:]]
            return tf.concat(rows, axis=0)

        return tf.ensure_shape(tf.cond(erases, erased, lambda: image), image.shape)

    def rectangle(
        self, height: Tensor, width: Tensor, seed: Tensor
    ) -> tuple[Tensor, Rectangle]:
        """Draws whether an image of `height` x `width` pixels is erased, and where.

        As in timm nothing is erased in the rare case that none of ten rectangles fits.
        """
        place, chance = tf.unstack(tf.random.experimental.stateless_split(seed))
        fits, rectangle = random_rectangle(
            height,
            width,
            place,
            area=(self.min_area, self.max_area),
            aspect=(self.min_aspect, 1 / self.min_aspect),
            whole=False,
        )
        return fits & (tf.random.stateless_uniform((), chance) < self.prob), rectangle

    def _statistics(self, channels: int) -> tuple[Tensor, Tensor]:
        mean, std = tf.constant(self.mean), tf.constant(self.std)
        if channels == len(self.mean):
            return mean, std
        return tf.reduce_mean(mean), tf.reduce_mean(std)
