"""Mixup, CutMix and label smoothing of a batch."""

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import tensorflow as tf

from keras_cait.range_check import check_range
from keras_cait.typing import Tensor


class Mixture(NamedTuple):
    """The drawn mixture of one batch."""

    share: Tensor  # weight of an image against its partner, () float32 in [0, 1]
    is_cutmix: Tensor  # () bool: a box is pasted; if not, pixels are averaged
    box: Tensor  # top, bottom, left, right in pixels, (4,) int32, the ends exclusive


@dataclass(frozen=True, kw_only=True)
class Mixing:
    """Mixup or CutMix of a batch with itself reversed, and smooth labels.

    The choice and `share`, drawn from Beta(alpha, alpha), are the same for a batch:

    - Mixup (https://arxiv.org/abs/1710.09412): `share * image + (1 - share) * partner`.
    - CutMix (https://arxiv.org/abs/1905.04899): a box of `sqrt(1 - share)` times each
      side, its center anywhere in the image, shows the partner. The box is clipped at
      the border, and `share` becomes the part of the image outside the box.
    - Labels: `share * label + (1 - share) * partner's label`, where a label is
      `1 - smoothing + smoothing / classes` at its class, `smoothing / classes`
      elsewhere.

    In a batch of odd length the image in the middle is its own partner. Keras's MixUp
    draws a share for each image, its CutMix has no alpha, and those of keras-cv fail
    on arrays; this one is timm's. A box of odd height or width has its full size, as in
    timm today; the version that the official code was run with lost a row or column.
    The defaults are those of DeiT, table 9, https://arxiv.org/abs/2012.12877.
    """

    mixup_alpha: float = 0.8  # 0 turns Mixup off
    cutmix_alpha: float = 1.0  # 0 turns CutMix off
    prob: float = 1.0  # probability that a batch is mixed, in [0, 1]
    switch_prob: float = 0.5  # probability of CutMix if both are on, in [0, 1]
    label_smoothing: float = 0.1  # part that all classes share, in [0, 1)

    def __post_init__(self) -> None:
        for name in ("mixup_alpha", "cutmix_alpha"):
            value = getattr(self, name)
            holds = 0 <= value < math.inf
            check_range(holds, "at least 0 and finite", **{name: value})
        for name in ("prob", "switch_prob"):
            value = getattr(self, name)
            check_range(0 <= value <= 1, "in [0, 1]", **{name: value})
        smoothing = self.label_smoothing
        check_range(0 <= smoothing < 1, "in [0, 1)", label_smoothing=smoothing)
        for field in fields(self):  # 0 to 0.0
            object.__setattr__(self, field.name, float(getattr(self, field.name)))

    def __call__(
        self, images: Tensor, labels: Tensor, seed: Tensor, classes: int
    ) -> tuple[Tensor, Tensor]:
        """Mixes a batch, `(batch, height, width, channels)` float32 in any range.

        Labels are integers, `(batch,)`; they become `(batch, classes)` float32 with
        rows that sum to 1.
        """
        smooth = self.label_smoothing / classes
        targets = tf.one_hot(labels, classes, 1 - self.label_smoothing + smooth, smooth)
        if not (self.mixup_alpha or self.cutmix_alpha):
            return images, targets
        mixture = self.draw(seed, tf.shape(images)[1:3])
        share = mixture.share
        partners = tf.reverse(images, [0])
        mixed = tf.cond(
            mixture.is_cutmix,
            lambda: tf.where(_inside(mixture.box, images), partners, images),
            lambda: share * images + (1 - share) * partners,
        )
        return mixed, share * targets + (1 - share) * tf.reverse(targets, [0])

    def draw(self, seed: Tensor, image_size: Tensor) -> Mixture:
        """Draws the mixture of one batch; at least one alpha is above 0."""
        seeds = tf.random.split(seed, 2)
        mixed, switch, *center = tf.unstack(tf.random.stateless_uniform((4,), seeds[0]))
        mixed = mixed < self.prob
        if self.mixup_alpha and self.cutmix_alpha:
            is_cutmix = switch < self.switch_prob
        else:
            is_cutmix = tf.constant(self.cutmix_alpha > 0)
        alpha = tf.where(is_cutmix, self.cutmix_alpha, self.mixup_alpha)
        share = tf.where(mixed, _symmetric_beta(alpha, seeds[1]), 1.0)
        box = _box(share, center, image_size)
        area = tf.reduce_prod(box[1::2] - box[::2]) / tf.reduce_prod(image_size)
        left = tf.cast(1 - area, "float32")
        is_cutmix &= mixed
        return Mixture(tf.where(is_cutmix, left, share), is_cutmix, box)


def _symmetric_beta(alpha: Tensor, seed: Tensor) -> Tensor:
    """A draw from Beta(alpha, alpha), `X / (X + Y)` of two of Gamma(alpha).

    `X = G * U**(1 / alpha)` with G of Gamma(alpha + 1) and U uniform, in logarithms,
    since for a small alpha X is often too small for a float.
    """
    seeds = tf.random.split(seed, 2)
    gammas = tf.random.stateless_gamma((2,), seeds[0], alpha + 1)
    uniform = 1 - tf.random.stateless_uniform((2,), seeds[1])  # in (0, 1]
    x, y = tf.unstack(tf.math.log(gammas) + tf.math.log(uniform) / alpha)
    return tf.sigmoid(x - y)


def _box(share: Tensor, center: list[Tensor], image_size: Tensor) -> Tensor:
    """Box of a `Mixture` with its center at a row and column in [0, 1) of the sides."""
    size = tf.cast(image_size, "float32")
    sides = tf.cast(tf.sqrt(1 - share) * size, "int32")
    middle = tf.cast(tf.stack(center) * size, "int32")
    first = tf.maximum(middle - sides // 2, 0)
    behind = tf.minimum(middle + (sides + 1) // 2, image_size)
    return tf.reshape(tf.stack([first, behind], axis=1), (4,))


def _inside(box: Tensor, images: Tensor) -> Tensor:
    """Mask of the pixels in a box, `(height, width, 1)` bool."""
    top, bottom, left, right = tf.unstack(box)
    row = tf.range(tf.shape(images)[1])[:, None, None]
    column = tf.range(tf.shape(images)[2])[None, :, None]
    return (row >= top) & (row < bottom) & (column >= left) & (column < right)
