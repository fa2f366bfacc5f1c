"""RegNet formula: widths and depths of four stages from four numbers."""

import itertools
import math
from dataclasses import dataclass

from keras_cait.layers.checks import check_positive


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Blocks of one width; the first of them halves the side of the image."""

    depth: int  # number of blocks
    width: int  # channels of each; a multiple of `group_size`
    group_size: int  # channels of a group in the grouped convolution


def regnet_stages(
    *, depth: int, w0: int, wa: float, wm: float, group_size: int
) -> list[Stage]:
    """The four stages of a RegNet (section 3.3, https://arxiv.org/abs/2003.13678).

    Widths grow linearly with the block's index j and are then rounded to powers,
    and blocks of the same width make a stage:

        u[j] = w0 + wa * j
        s[j] = round(log(u[j] / w0) / log(wm))
        w[j] = w0 * wm**s[j], to the nearest multiple of 8

    At last a stage's width becomes the nearest multiple of its group size; a stage
    narrower than that is one group. `RegNetSizes` describes the arguments.
    """
    check_positive(depth=depth, w0=w0, group_size=group_size)
    if w0 % 8:
        raise ValueError(f"`w0` must be a multiple of 8. Received: w0={w0}")
    if wa < 0 or wm <= 1:
        raise ValueError(
            f"`wa` must be 0 or more and `wm` above 1. Received: wa={wa}, wm={wm}"
        )
    exponents = (round(math.log((w0 + wa * j) / w0, wm)) for j in range(depth))
    widths = [round(w0 * wm**exponent / 8) * 8 for exponent in exponents]
    stages = [(width, len(list(same))) for width, same in itertools.groupby(widths)]
    if len(stages) != 4:
        raise ValueError(
            "`depth`, `w0`, `wa` and `wm` must make four stages, blocks of four "
            f"different widths. Received: depth={depth}, w0={w0}, wa={wa}, wm={wm}, "
            f"which make {len(stages)}, of widths {[width for width, _ in stages]}. "
            "More depth or a greater `wa` makes more of them, a greater `wm` fewer."
        )
    return [_whole_groups(blocks, width, group_size) for width, blocks in stages]


def _whole_groups(depth: int, width: int, group_size: int) -> Stage:
    group_size = min(group_size, width)
    width = round(width / group_size) * group_size
    return Stage(depth=depth, width=width, group_size=group_size)
