"""Random crops and flips of training images.

Keras's layers for these draw from their own state, cut the same place out of every
image of a batch, and do not resize as PIL does.
"""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from keras_cait.data.images.decoding import decode, decode_window, image_size
from keras_cait.data.images.rectangles import Rectangle, random_rectangle
from keras_cait.data.images.resizing import check_interpolation, covering_size, resize
from keras_cait.range_check import check_range
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class RandomResizedCrop:
    """A crop of random area and aspect, resized, as for training on ImageNet.

    The area, the logarithm of the aspect and the place inside the image are uniform
    (Szegedy et al., section 6, https://arxiv.org/abs/1409.4842). If none of ten such
    crops fits, the largest crop in the middle with an allowed aspect is taken, as in
    timm and torchvision.
    """

    image_size: tuple[int, int] = (224, 224)  # height and width in pixels
    scale: tuple[float, float] = (0.08, 1.0)  # area, as a part of the image's
    ratio: tuple[float, float] = (3 / 4, 4 / 3)  # of width to height
    interpolation: str = "bicubic"  # or "bilinear"
    channels: int | None = None  # as of `decode`

    def __post_init__(self) -> None:
        check_interpolation(self.interpolation)
        holds = 0 < self.scale[0] <= self.scale[1] <= 1
        expected = "the lowest and the highest area, in (0, 1]"
        check_range(holds, expected, scale=self.scale)
        holds = 0 < self.ratio[0] <= self.ratio[1]
        expected = "the lowest and the highest ratio, above 0"
        check_range(holds, expected, ratio=self.ratio)

    def __call__(self, record: Tensor, seed: Tensor) -> Tensor:
        """Crops one record, as of `decode`, to `(*image_size, channels)` uint8.

        Only the crop of a JPEG is decoded.
        """
        crop = self.crop(*image_size(record), seed)
        window = decode_window(record, *crop, channels=self.channels)
        return resize(window, self.image_size, self.interpolation)

    def crop(self, height: Tensor, width: Tensor, seed: Tensor) -> Rectangle:
        """Draws the crop of an image of `height` x `width` pixels."""
        fits, crop = random_rectangle(
            height, width, seed, area=self.scale, aspect=self.ratio, whole=True
        )
        tallest = tf.cast(width, "float32") / self.ratio[0]
        widest = tf.cast(height, "float32") * self.ratio[1]
        longest = tf.cast(tf.round(tf.stack([tallest, widest])), "int32")
        sides = tf.stack([height, width])
        middle = tf.minimum(sides, longest)
        corner = (sides - middle) // 2
        chosen = tf.where(fits, tf.stack(crop), tf.concat([corner, middle], axis=0))
        return Rectangle(*tf.unstack(chosen))


@dataclass(frozen=True, kw_only=True)
class RandomCrop:
    """A crop of an image that is not resized, as for training on small images.

    DeiT has it in place of `RandomResizedCrop` for images of 32 pixels and less.
    """

    image_size: tuple[int, int]  # height and width in pixels
    padding: int = 4  # rows and columns of black, 0, on each side before the crop
    channels: int | None = None  # as of `decode`

    def __call__(self, record: Tensor, seed: Tensor) -> Tensor:
        """Crops one record, as of `decode`, to `(*image_size, channels)` uint8.

        The image with its padding must be at least as large as the crop.
        """
        image = decode(record, self.channels)
        return _padded_crop(image, self.padding, "CONSTANT", self.image_size, seed)


@dataclass(frozen=True, kw_only=True)
class SimpleRandomCrop:
    """The shorter side resized and a square cut out, as DeiT-III trains.

    Touvron et al., DeiT III, section 3, https://arxiv.org/abs/2204.07118. The image is
    resized bicubically to the smallest size of its aspect that covers `image_size`. The
    crop shows more of the image than `RandomResizedCrop`, at the scale of evaluation.
    """

    image_size: tuple[int, int]  # height and width in pixels
    padding: int = 4  # rows and columns on each side before the crop, mirrored
    channels: int | None = None  # as of `decode`

    def __call__(self, record: Tensor, seed: Tensor) -> Tensor:
        """Crops one record, as of `decode`, to `(*image_size, channels)` uint8."""
        image = decode(record, self.channels)
        size = covering_size(*image_size(image), self.image_size)
        image = resize(image, size)
        return _padded_crop(image, self.padding, "REFLECT", self.image_size, seed)


@dataclass(frozen=True, kw_only=True)
class RandomFlip:
    """Mirrors half of the images, left to right."""

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """The image or its mirror image."""
        return tf.image.stateless_random_flip_left_right(image, seed)


def _padded_crop(
    image: Tensor, padding: int, mode: Any, size: tuple[int, int], seed: Tensor
) -> Tensor:
    image = tf.pad(image, [[padding, padding], [padding, padding], [0, 0]], mode)
    return tf.image.stateless_random_crop(image, (*size, image.shape[-1]), seed)
