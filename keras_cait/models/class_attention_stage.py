"""Last stage of CaiT: class attention of the class token to the patches."""

import keras

from keras_cait.layers import ClassAttention, ClassToken, DistillationToken
from keras_cait.layers.precision import full_precision
from keras_cait.models.blocks import MakeLayer, block
from keras_cait.typing import Tensor


def class_attention_stage(
    patches: Tensor,
    *,
    depth: int,
    num_heads: int,
    mlp_ratio: float,
    distilled: bool = False,
    recompute: bool = False,
    implementation: str = "auto",
    scale: MakeLayer | None = None,
) -> Tensor:
    """Class tokens join the patches, and attend to them without changing them.

    `(batch, patches, dim)` to `(batch, tokens + patches, dim)`, with one token, or
    two if `distilled`. They have no position, no stochastic depth and no dropout, as in
    the official code (facebookresearch/deit, cait_models.py, lines 194 to 199); CaiT,
    section 3, https://arxiv.org/abs/2103.17239.
    """
    num_query_tokens = 2 if distilled else 1
    x = patches
    if distilled:
        x = DistillationToken(name="distillation_token")(x)
    x = ClassToken(name="class_token")(x)
    tokens = x[:, :num_query_tokens]
    for index in range(depth):
        name = f"class_block_{index}"
        attention = ClassAttention(
            num_heads=num_heads,
            num_query_tokens=num_query_tokens,
            recompute=recompute,
            implementation=implementation,
            name=f"{name}_attention",
        )
        tokens = block(
            tokens,
            attention,
            name,
            mlp_ratio=mlp_ratio,
            recompute=recompute,
            attention_inputs=x,
            scale=scale,
        )
        x = keras.layers.Concatenate(
            axis=1, dtype=full_precision(), name=f"{name}_join"
        )([tokens, patches])
    return x
