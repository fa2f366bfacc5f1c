"""The residual branch that every block of every model is made of."""

import keras

from keras_cait.layers import LayerScale, StochasticDepth
from keras_cait.typing import Tensor


def residual(
    x: Tensor,
    layer: keras.layers.Layer,
    name: str,
    part: int,
    *,
    reads: Tensor | None = None,
    init_values: float | None = None,
    drop_path_rate: float = 0.0,
) -> Tensor:
    """`x + drop(scale(layer(norm(x))))`, `(batch, tokens, dim)` in and out.

    Args:
        x: The residual stream.
        layer: What the branch computes.
        name: Name of the block; the layers' names begin with it.
        part: 1 or 2, the branch's number in the block.
        reads: What the branch reads in place of `x`, where that differs.
        init_values: Starting value of its LayerScale; None for none.
        drop_path_rate: Its stochastic depth, in [0, 1).

    """
    y = keras.layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm{part}")(
        x if reads is None else reads
    )
    y = layer(y)
    if init_values is not None:
        y = LayerScale(init_values=init_values, name=f"{name}_scale{part}")(y)
    y = StochasticDepth(rate=drop_path_rate, name=f"{name}_drop_path{part}")(y)
    return keras.layers.Add(name=f"{name}_add{part}")([x, y])
