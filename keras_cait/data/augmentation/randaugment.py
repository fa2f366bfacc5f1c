"""RandAugment with timm's operations, levels and names."""

import functools
import math
import re
from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from keras_cait.data.augmentation.point_operations import checked_image
from keras_cait.data.augmentation.randaugment_levels import (
    HIGHEST,
    INCREASING,
    ORIGINAL,
    Operation,
)
from keras_cait.range_check import check_range
from keras_cait.typing import Tensor

_SECTION = re.compile(r"(mstd|m|n|p|inc)(\d+(?:\.\d+)?)")
_LARGEST_STD = 100  # in timm's names; larger numbers stand for infinity


class Draw(NamedTuple):
    """The drawn operations of one image, each field `(num_ops,)`, in order.

    `operation` is an index in `RandAugment.operations`, or their number for none;
    `magnitude` is in [0, 10], `sign` -1 or 1.
    """

    operation: Tensor
    magnitude: Tensor
    sign: Tensor


@dataclass(frozen=True, kw_only=True)
class RandAugment:
    """Operations drawn from fifteen, applied one after the other.

    Cubuk et al., section 3, https://arxiv.org/abs/1909.13719. Operations, levels and
    random magnitudes are timm's. Posterizing to 0 bits gives black; Pillow 13 raises an
    error instead. The layers of Keras and KerasCV have neither `magnitude_std` nor
    increasing levels.
    """

    magnitude: float = 9.0  # strength; above 10 the operations get no stronger
    # Standard deviation of the magnitude, which stays in [0, 10]; infinity draws it
    # uniformly from 0 to `magnitude`.
    magnitude_std: float = 0.5
    num_ops: int = 2  # drawn for each image, with replacement
    prob: float = 0.5  # probability that a drawn operation is applied, in [0, 1]
    # Effects get stronger with the magnitude. If not, posterize and solarize get
    # weaker, and colors go from weak to strong.
    increasing: bool = True
    # Gray levels of areas that come in from outside the image: ImageNet's mean.
    fill: tuple[int, int, int] = (124, 116, 104)

    def __post_init__(self) -> None:
        for name in ("magnitude", "magnitude_std"):
            value = getattr(self, name)
            check_range(value >= 0, "0 or more", **{name: value})
        check_range(self.num_ops >= 1, "1 or more", num_ops=self.num_ops)
        check_range(0 <= self.prob <= 1, "in [0, 1]", prob=self.prob)

    @classmethod
    def from_name(cls, name: str) -> "RandAugment":
        """The augmentation with timm's name, such as "rand-m9-mstd0.5-inc1".

        The name is "rand" and, after dashes, any of m (magnitude, default 10), mstd
        (its standard deviation, default 0; above 100 stands for infinity), n (number of
        operations, default 2), p (probability, default 0.5) and inc (1 for increasing
        levels, default 0), each with its number.
        """
        kind, *sections = name.split("-")
        found = [_SECTION.fullmatch(section) for section in sections]
        read = {match[1]: float(match[2]) for match in found if match}
        whole = all(read.get(key, 0) % 1 == 0 for key in ("m", "n", "inc"))
        if kind != "rand" or len(read) < len(sections) or not whole:
            raise ValueError(
                '`name` must be "rand" and, after dashes, any of m, mstd, n, p and '
                "inc, once each and with a number, whole for m, n and inc, such as "
                f'"rand-m9-mstd0.5-inc1". Received: name={name!r}'
            )
        std = read.get("mstd", 0.0)
        return cls(
            magnitude=read.get("m", HIGHEST),
            magnitude_std=math.inf if std > _LARGEST_STD else std,
            num_ops=int(read.get("n", 2)),
            prob=read.get("p", 0.5),
            increasing=bool(read.get("inc", 0)),
        )

    @property
    def operations(self) -> dict[str, Operation]:
        """Operations by timm's names, in the order of their indices in a `Draw`."""
        return INCREASING if self.increasing else ORIGINAL

    def draw(self, seed: Tensor) -> Draw:
        """Draws the operations of one image from a seed of two integers."""
        draws = tf.random.stateless_uniform((4, self.num_ops), seed, dtype="float64")
        place, applied, strength, side = tf.unstack(draws)
        number = len(self.operations)
        return Draw(
            operation=tf.where(
                applied < self.prob, tf.cast(place * number, "int32"), number
            ),
            magnitude=tf.clip_by_value(self._magnitude(strength), 0, HIGHEST),
            sign=1 - 2 * tf.round(side),
        )

    def _magnitude(self, strength: Tensor) -> Tensor:
        """Magnitude from a uniform number in [0, 1)."""
        if math.isinf(self.magnitude_std):
            return self.magnitude * strength
        if self.magnitude_std == 0:
            return tf.fill(tf.shape(strength), tf.cast(self.magnitude, "float64"))
        return self.magnitude + self.magnitude_std * tf.math.ndtri(strength)

    def __call__(self, image: Tensor, seed: Tensor) -> Tensor:
        """Augments one image, `(height, width, 3)` uint8; the seed is two integers."""
        image = checked_image(image)
        result = image
        for operation, magnitude, sign in zip(
            *map(tf.unstack, self.draw(seed)), strict=True
        ):
            result = self._apply(result, operation, magnitude, sign)
        return tf.ensure_shape(result, image.shape)

    def _apply(
        self, image: Tensor, operation: Tensor, magnitude: Tensor, sign: Tensor
    ) -> Tensor:
        """Runs only the drawn operation."""

        def transformed(one: Operation) -> Tensor:
            return one.transform(image, one.argument(magnitude, sign), self.fill)

        operations = self.operations.values()
        branches = [functools.partial(transformed, one) for one in operations]
        return tf.switch_case(operation, [*branches, lambda: image])
