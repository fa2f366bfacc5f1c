"""DeiT: a vision transformer, with an optional distillation token."""

from dataclasses import dataclass

import keras

from keras_cait.layers import (
    ClassToken,
    DistillationToken,
    PositionEmbedding,
    SelfAttention,
)
from keras_cait.layers.precision import full_precision
from keras_cait.models.arguments import (
    TransformerArguments,
    TransformerSizes,
    check_transformer,
    with_arguments_of,
)
from keras_cait.models.blocks import block, normalize
from keras_cait.models.classifier_head import classify_or_pool
from keras_cait.models.functional_model import functional_model
from keras_cait.models.image_inputs import image_patches


@dataclass(frozen=True, kw_only=True)
class DeiTSizes(TransformerSizes):
    """Sizes of a DeiT.

    Attributes:
        distilled: Whether it has a distillation token and its head.
    """

    distilled: bool = False


@dataclass(frozen=True, kw_only=True)
class DeiTArguments(TransformerArguments, DeiTSizes): ...  # noqa: D101


@with_arguments_of(DeiTArguments)
def DeiT(arguments: DeiTArguments) -> keras.Model:
    """Builds a DeiT of any size, with random weights.

    Patches become tokens; a class token (and a distillation token) and learned
    positions join them; `depth` pre-norm blocks follow, each
    `x = x + drop(attention(norm(x)))`, `x = x + drop(feed_forward(norm(x)))`;
    then a last norm and one linear head a token. The output of a distilled model
    is the activation of the mean of its two heads' logits, in training and at
    inference alike; `keras_cait.separate_heads` gives both.

    Stochastic depth grows linearly from 0 in the first block to `drop_path_rate` in the
    last; dropout acts on positions and projections. `DeiTSizes` and its neighbors in
    `keras_cait.models.arguments` describe each argument.

    Returns:
        A functional `keras.Model`: `(batch, height, width, channels)` to
        `(batch, classes)`.

    Raises:
        ValueError: If an argument is out of range or does not fit another.
        TypeError: If an argument is missing or unknown.

    Example:
        >>> model = DeiT(
        ...     input_shape=(32, 48, 3), patch_size=8, embed_dim=32, depth=2,
        ...     num_heads=4, distilled=True, classes=10,
        ... )
        >>> model.output_shape
        (None, 10)

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, https://arxiv.org/abs/2012.12877

    """
    check_transformer(arguments)
    inputs, x = image_patches(arguments, "deit")
    if arguments.distilled:
        x = DistillationToken(name="distillation_token")(x)
    x = ClassToken(name="class_token")(x)  # (batch, prefix + patches, embed_dim)
    x = PositionEmbedding(
        grid_size=arguments.grid_size,
        num_prefix_tokens=2 if arguments.distilled else 1,
        name="position_embedding",
    )(x)
    x = keras.layers.Dropout(
        arguments.dropout_rate, dtype=full_precision(), name="position_dropout"
    )(x)
    for index in range(arguments.depth):
        attention = SelfAttention(
            num_heads=arguments.num_heads,
            attention_dropout_rate=arguments.attention_dropout_rate,
            dropout_rate=arguments.dropout_rate,
            recompute=arguments.recompute,
            implementation=arguments.attention_implementation,
            name=f"block_{index}_attention",
        )
        x = block(
            x,
            attention,
            f"block_{index}",
            mlp_ratio=arguments.mlp_ratio,
            dropout_rate=arguments.dropout_rate,
            recompute=arguments.recompute,
            # A linear ramp: 0 in the first block, the full rate in the last.
            drop_path_rate=arguments.drop_path_rate
            * index
            / max(1, arguments.depth - 1),
        )
    x = normalize(x, "norm")
    outputs = classify_or_pool(x, arguments, distilled=arguments.distilled)
    return functional_model(inputs, outputs, arguments, "deit")
