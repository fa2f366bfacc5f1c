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
from keras_cait.data.range_check import check_range
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class RandomResizedCrop:
    """A crop of random area and aspect, resized, as for training on ImageNet.

    The area, the logarithm of the aspect and the place inside the image are uniform.
    If none of ten such crops fits, the largest crop in the middle with an allowed
    aspect is taken, as in timm and torchvision.

    Attributes:
        image_size: Height and width of the result, in pixels.
        scale: Lowest and highest area, as parts of the image's, in (0, 1].
        ratio: Lowest and highest ratio of width to height.
        interpolation: "bicubic" or "bilinear".
        channels: 3 or 1; None keeps those of a decoded image and makes an encoded
            one 3.

    Raises:
        ValueError: If a range is empty or there is no such interpolation.

    Example:
        >>> crop = RandomResizedCrop(image_size=(8, 8))
        >>> crop(tf.zeros((30, 40, 3), "uint8"), (0, 0)).shape
        TensorShape([8, 8, 3])

    Reference:
        Szegedy et al., Going deeper with convolutions, section 6,
        https://arxiv.org/abs/1409.4842

    """

    image_size: tuple[int, int] = (224, 224)
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    interpolation: str = "bicubic"
    channels: int | None = None

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

    Attributes:
        image_size: Height and width of the result, in pixels.
        padding: Rows and columns of black, 0, on each side before the crop.
        channels: As of `RandomResizedCrop`.

    Example:
        >>> crop = RandomCrop(image_size=(32, 32))
        >>> crop(tf.zeros((32, 32, 3), "uint8"), (0, 0)).shape
        TensorShape([32, 32, 3])

    """

    image_size: tuple[int, int]
    padding: int = 4
    channels: int | None = None

    def __call__(self, record: Tensor, seed: Tensor) -> Tensor:
        """Crops one record, as of `decode`, to `(*image_size, channels)` uint8.

        The image with its padding must be at least as large as the crop.
        """
        image = decode(record, self.channels)
        return _padded_crop(image, self.padding, "CONSTANT", self.image_size, seed)


@dataclass(frozen=True, kw_only=True)
class SimpleRandomCrop:
    """The shorter side resized and a square cut out, as DeiT-III trains.

    The crop shows more of the image than `RandomResizedCrop`, at the scale of
    evaluation.

    Attributes:
        image_size: Height and width of the result, in pixels. The image is resized
            bicubically to the smallest size of its aspect that covers this.
        padding: Rows and columns on each side before the crop, mirrored.
        channels: As of `RandomResizedCrop`.

    Example:
        >>> crop = SimpleRandomCrop(image_size=(16, 16))
        >>> crop(tf.zeros((30, 40, 3), "uint8"), (0, 0)).shape
        TensorShape([16, 16, 3])

    Reference:
        Touvron et al., DeiT III: revenge of the ViT, section 3,
        https://arxiv.org/abs/2204.07118

    """

    image_size: tuple[int, int]
    padding: int = 4
    channels: int | None = None

    def __call__(self, record: Tensor, seed: Tensor) -> Tensor:
        """Crops one record, as of `decode`, to `(*image_size, channels)` uint8."""
        image = decode(record, self.channels)
        size = covering_size(*image_size(image), self.image_size)
        image = resize(image, size)
        return _padded_crop(image, self.padding, "REFLECT", self.image_size, seed)


@dataclass(frozen=True, kw_only=True)
class RandomFlip:
    """Mirrors half of the images, left to right.

    Example:
        >>> image = tf.constant([[[1], [2]]], "uint8")
        >>> {tuple(RandomFlip()(image, (0, n)).numpy().ravel().tolist())
        ...  for n in range(9)} == {(1, 2), (2, 1)}
        True

    """

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """The image or its mirror image."""
        return tf.image.stateless_random_flip_left_right(image, seed)


def _padded_crop(
    image: Tensor, padding: int, mode: Any, size: tuple[int, int], seed: Tensor
) -> Tensor:
    image = tf.pad(image, [[padding, padding], [padding, padding], [0, 0]], mode)
    return tf.image.stateless_random_crop(image, (*size, image.shape[-1]), seed)
