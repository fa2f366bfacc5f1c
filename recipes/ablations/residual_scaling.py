"""Networks of CaiT's table 1: residual scalings at several depths."""

from functools import partial
from typing import Any

import keras
from keras import ops
from scalar_scale import ScalarScale
from token_insertion import token_insertion_network

from keras_cait.layers import LayerScale
from keras_cait.models.blocks import MakeLayer
from keras_cait.models.cait import layer_scale_start

RESIDUAL_SCALINGS = ("none", "rezero", "fixup", "scalar", "layer_scale")
"""Columns of the table, without T-Fixup, which has no scaling, only initial values."""


def residual_scaling_network(
    scaling: str, *, depth: int, name: str = "residual_scaling", **sizes: Any
) -> keras.Model:
    """Builds a DeiT with one of five scalings of its residual branches.

    `x = x + drop(scale(layer(norm(x))))`, where `scale` is

    - "none": the identity, as the baseline;
    - "rezero": a learned scalar that starts at 0, as in ReZero and SkipInit;
    - "fixup": a learned scalar that starts at 1, with the linear layers of Fixup; see
      `start_as_fixup`;
    - "scalar": a learned scalar that starts at `layer_scale_start(depth)`;
    - "layer_scale": a learned gain per channel that starts there too.

    ReZero, SkipInit and Fixup were published without the norm in front of a branch
    and without warm-up. The paper found that a DeiT does not converge then, and added
    both; after that ReZero and SkipInit are the same. Here the norm is in the network;
    the training must have the warm-up. Source: CaiT, https://arxiv.org/abs/2103.17239,
    section 2 and table 1, with 12, 18, 24 and 36 blocks.
    """
    scale = _scale(scaling, depth)
    model = token_insertion_network(0, depth=depth, scale=scale, name=name, **sizes)
    if scaling == "fixup":
        start_as_fixup(model, depth)
    return model


def _scale(scaling: str, depth: int) -> MakeLayer | None:
    start = layer_scale_start(depth)
    layers: dict[str, MakeLayer | None] = {
        "none": None,
        "rezero": partial(ScalarScale, init_value=0.0),
        "fixup": partial(ScalarScale, init_value=1.0),
        "scalar": partial(ScalarScale, init_value=start),
        "layer_scale": partial(LayerScale, init_values=start),
    }
    if scaling not in layers:
        raise ValueError(
            f"`scaling` must be one of {', '.join(RESIDUAL_SCALINGS)}. "
            f"Received: scaling={scaling!r}"
        )
    return layers[scaling]


def start_as_fixup(model: keras.Model, depth: int) -> None:
    """Gives the linear layers of every branch the starting values of Fixup.

    The last one of a branch starts at 0. The others keep what they drew, times
    `branches ** (-1 / (2 * m - 2))`, with `branches = 2 * depth` in the network and
    `m` matrices in the branch: 2 in a feed-forward; 4 in an attention (query, key,
    value, output), as Fixup's author counts them.

    Fixup's scalar biases are left out: LayerNorm removes a number that is added to
    all channels, and the linear layers have biases of their own. The classifier starts
    as in DeiT, so that only the branches differ. Source: Fixup,
    https://arxiv.org/abs/1901.09321, section 3; the count of matrices:
    https://github.com/hongyi-zhang/Fixup/issues/8.
    """
    branches = 2 * depth
    for index in range(depth):
        attention = model.get_layer(f"block_{index}_attention")
        feed_forward = model.get_layer(f"block_{index}_feed_forward")
        for first, last, matrices in (
            (attention.qkv, attention.proj, 4),
            (feed_forward.fc1, feed_forward.fc2, 2),
        ):
            factor = branches ** (-1 / (2 * matrices - 2))
            first.kernel.assign(first.kernel * factor)
            last.kernel.assign(ops.zeros(last.kernel.shape))
