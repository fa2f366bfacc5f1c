"""3-Augment, the augmentation of DeiT III."""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from keras_cait.data.augmentation import color
from keras_cait.data.augmentation.filters import gaussian_blur
from keras_cait.data.augmentation.point_operations import checked_image, solarize
from keras_cait.range_check import check_range
from keras_cait.typing import Tensor

_SOLARIZE_FROM = 128  # Pillow's default
_BLUR_RADIUS = (0.1, 2.0)  # as in the published code; the paper has no number
_JITTERED = (color.brightness, color.contrast, color.saturation)


class Draw(NamedTuple):
    """The drawn operations of one image.

    `choice` is 0 for gray, 1 for solarize, 2 for blur, of `radius` pixels; `factors`
    are those of brightness, contrast and saturation, and `order` their order.
    """

    choice: Tensor
    radius: Tensor
    factors: Tensor
    order: Tensor


@dataclass(frozen=True, kw_only=True)
class ThreeAugment:
    """Grayscale, solarize or blur, equally often, and then color jitter.

    Touvron et al., DeiT III, section 3.2, https://arxiv.org/abs/2204.07118. The paper's
    crop and flip are separate transforms.
    """

    # Brightness, contrast and saturation are multiplied, in random order, by factors
    # uniform from `1 - color_jitter` to `1 + color_jitter`; in [0, 1], 0 for none.
    color_jitter: float = 0.3

    def __post_init__(self) -> None:
        jitter = self.color_jitter
        check_range(0 <= jitter <= 1, "in [0, 1]", color_jitter=jitter)

    def draw(self, seed: Tensor) -> Draw:
        """Draws the operations of one image from a seed of two integers."""
        draws = tf.random.stateless_uniform((8,), seed, dtype="float64")
        least, most = _BLUR_RADIUS
        return Draw(
            choice=tf.cast(3 * draws[0], "int32"),
            radius=least + (most - least) * draws[1],
            factors=1 + self.color_jitter * (2 * draws[2:5] - 1),
            order=tf.argsort(draws[5:]),
        )

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """Augments one image, `(height, width, 3)` uint8; the seed is two integers."""
        image = checked_image(image)
        draw = self.draw(seed)
        result = tf.switch_case(
            draw.choice,
            [
                lambda: color.grayscale(image),
                lambda: solarize(image, _SOLARIZE_FROM),
                lambda: gaussian_blur(image, draw.radius),
            ],
        )
        if self.color_jitter:
            for place in tf.unstack(draw.order):
                factor = draw.factors[place]
                result = tf.switch_case(
                    place, [functools.partial(one, result, factor) for one in _JITTERED]
                )
        return tf.ensure_shape(result, image.shape)
