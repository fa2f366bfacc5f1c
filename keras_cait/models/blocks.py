"""Block of all transformers: attention, then feed-forward."""

from collections.abc import Callable

import keras

from keras_cait.layers import FeedForward, LayerNormalization, StochasticDepth
from keras_cait.layers.checks import check_above_zero
from keras_cait.layers.precision import full_precision
from keras_cait.typing import Tensor

MakeLayer = Callable[..., keras.layers.Layer]
"""Makes a layer with the given `name`, such as `partial(LayerScale, ...)`."""


def block(
    x: Tensor,
    attention: keras.layers.Layer,
    name: str,
    *,
    mlp_ratio: float,
    dropout_rate: float = 0.0,
    recompute: bool = False,
    attention_inputs: Tensor | None = None,
    scale: MakeLayer | None = None,
    drop_path_rate: float = 0.0,
) -> Tensor:
    """Two pre-norm residual branches, `(batch, tokens, dim)` in and out.

    `x = x + drop(scale(attention(norm(x))))`, then the same with a feed-forward, each
    with a layer made by `scale`. Under a mixed policy attention and feed-forward
    compute in half precision, and everything else in float32, as torch's autocast does.
    `dropout_rate` and `recompute` act on the feed-forward; `attention_inputs` replaces
    `x` as input of the attention.
    """
    check_above_zero(mlp_ratio=mlp_ratio)
    branch = {"scale": scale, "drop_path_rate": drop_path_rate}
    attended = x if attention_inputs is None else attention_inputs
    x = _residual(x, attended, attention, name, 1, **branch)
    feed_forward = FeedForward(
        hidden_dim=int(x.shape[-1] * mlp_ratio),
        dropout_rate=dropout_rate,
        recompute=recompute,
        name=f"{name}_feed_forward",
    )
    return _residual(x, x, feed_forward, name, 2, **branch)


def _residual(
    x: Tensor,
    inputs: Tensor,
    layer: keras.layers.Layer,
    name: str,
    part: int,
    *,
    scale: MakeLayer | None,
    drop_path_rate: float,
) -> Tensor:
    y = layer(normalize(inputs, f"{name}_norm{part}"))
    if scale is not None:
        y = scale(name=f"{name}_scale{part}")(y)
    y = StochasticDepth(rate=drop_path_rate, name=f"{name}_drop_path{part}")(y)
    return keras.layers.Add(dtype=full_precision(), name=f"{name}_add{part}")([x, y])


def normalize(x: Tensor, name: str) -> Tensor:
    """LayerNorm over the channels of the residual stream."""
    return LayerNormalization(dtype=full_precision(), name=name)(x)
