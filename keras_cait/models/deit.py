"""DeiT: a vision transformer, with a distillation token if it is to be taught."""

from collections.abc import Sequence

import keras

from keras_cait.layers import (
    ClassToken,
    DistillationToken,
    PositionEmbedding,
    SelfAttention,
)
from keras_cait.layers.checks import check_positive, check_rates
from keras_cait.layers.precision import full_precision
from keras_cait.models.argument_checks import default_name, refuse_unknown_arguments
from keras_cait.models.blocks import block, normalize
from keras_cait.models.classes.names import check_class_names
from keras_cait.models.classifier_head import classify, pool
from keras_cait.models.image_inputs import (
    check_image_shape,
    check_width,
    model_inputs,
    patch_tokens,
    published_preprocessing,
)
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape, Tensor


@refuse_unknown_arguments
def DeiT(
    *,
    input_shape: Shape = (224, 224, 3),
    patch_size: int = 16,
    embed_dim: int,
    depth: int,
    num_heads: int,
    mlp_ratio: float = 4.0,
    distilled: bool = False,
    drop_path_rate: float = 0.0,
    dropout_rate: float = 0.0,
    attention_dropout_rate: float = 0.0,
    recompute: bool = False,
    include_top: bool = True,
    include_preprocessing: bool = False,
    preprocessing: Preprocessing | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    class_names: Sequence[str] | None = None,
    classifier_activation: str | None = "softmax",
    name: str | None = None,
) -> keras.Model:
    """Builds a DeiT of any size, with random weights.

    Patches become tokens; a class token (and a distillation token) and learned
    positions join them; `depth` pre-norm blocks follow, each
    `x = x + drop(attention(norm(x)))`, `x = x + drop(feed_forward(norm(x)))`;
    then a last norm and one linear head a token. The output of a distilled model
    is the activation of the mean of its two heads' logits, in training and at
    inference alike; `keras_cait.separate_heads` gives both.

    Args:
        input_shape: Height, width (pixels, multiples of `patch_size`), channels.
        patch_size: Side of a patch in pixels.
        embed_dim: Length of a token; a multiple of `num_heads`.
        depth: Number of blocks.
        num_heads: Heads of each self-attention.
        mlp_ratio: Width of the feed-forward layers as a multiple of `embed_dim`.
        distilled: Adds the distillation token and its head.
        drop_path_rate: Stochastic depth of the last block, in [0, 1). The rate
            grows linearly from 0 in the first block.
        dropout_rate: Dropout on positions and projections, in [0, 1).
        attention_dropout_rate: Dropout on the attention, in [0, 1).
        recompute: Whether training computes the inside of attention and feed-forward
            again for the gradient, instead of keeping it: less memory, more time.
            Not with dropout.
        include_top: Whether to end in the classifier.
        include_preprocessing: Whether images come in [0, 255] and are normalized
            in the model. Otherwise they come normalized.
        preprocessing: A `keras_cait.Preprocessing`: the mean and standard deviation
            that images are normalized with, and how they are cropped and resized;
            None for the published one of these sizes. The model keeps it.
        input_tensor: A Keras tensor to use as the input.
        pooling: What a model without top gives: None, the tokens
            `(batch, tokens, embed_dim)`; "token", the class token (the mean of
            both for a distilled model); "avg", the mean patch token.
        classes: Number of classes.
        class_names: Their names, in order, which the model keeps; None for none.
        classifier_activation: Activation of the output; None for logits.
        name: Name of the model; None for "deit", with a number where that is taken.

    Returns:
        A functional `keras.Model`: `(batch, height, width, channels)` to
        `(batch, classes)`.

    Raises:
        ValueError: If an argument is out of range or does not fit another.

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
    check_image_shape(input_shape, patch_size)
    check_class_names(class_names, classes if include_top else None)
    check_width(embed_dim, num_heads)
    check_positive(depth=depth)
    rates = {
        "dropout_rate": dropout_rate,
        "attention_dropout_rate": attention_dropout_rate,
    }
    check_rates(drop_path_rate=drop_path_rate, **rates)
    num_prefix_tokens = 2 if distilled else 1

    inputs, x = patch_tokens(
        input_tensor,
        input_shape,
        patch_size=patch_size,
        embed_dim=embed_dim,
        include_preprocessing=include_preprocessing,
        preprocessing=preprocessing
        or published_preprocessing(
            "deit",
            input_shape,
            patch_size=patch_size,
            embed_dim=embed_dim,
            depth=depth,
            num_heads=num_heads,
            distilled=distilled,
        ),
    )
    if distilled:
        x = DistillationToken(name="distillation_token")(x)
    x = ClassToken(name="class_token")(x)  # (batch, prefix + patches, embed_dim)
    x = PositionEmbedding(
        grid_size=(input_shape[0] // patch_size, input_shape[1] // patch_size),
        num_prefix_tokens=num_prefix_tokens,
        name="position_embedding",
    )(x)
    x = keras.layers.Dropout(
        dropout_rate, dtype=full_precision(), name="position_dropout"
    )(x)
    for index in range(depth):
        attention = SelfAttention(
            num_heads=num_heads,
            recompute=recompute,
            name=f"block_{index}_attention",
            **rates,
        )
        x = block(
            x,
            attention,
            f"block_{index}",
            mlp_ratio=mlp_ratio,
            dropout_rate=dropout_rate,
            recompute=recompute,
            # A linear ramp: 0 in the first block, the full rate in the last.
            drop_path_rate=drop_path_rate * index / max(1, depth - 1),
        )
    x = normalize(x, "norm")

    if include_top:
        outputs = classify(
            x,
            classes,
            classifier_activation,
            distilled=distilled,
            class_names=class_names,
        )
    else:
        outputs = pool(x, pooling, num_prefix_tokens)
    name = name or default_name("deit")
    return keras.Model(model_inputs(inputs, input_tensor), outputs, name=name)
