"""CaiT: a deep stack for the patches, then a short one for the class token."""

from collections.abc import Sequence
from functools import partial

import keras

from keras_cait.layers import LayerScale, PositionEmbedding, TalkingHeads
from keras_cait.layers.checks import check_positive, check_rates
from keras_cait.layers.precision import full_precision
from keras_cait.models.argument_checks import default_name, refuse_unknown_arguments
from keras_cait.models.blocks import block, normalize
from keras_cait.models.class_attention_stage import class_attention_stage
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


def layer_scale_start(depth: int) -> float:
    """Where LayerScale starts in a network of so many self-attention blocks.

    0.1 up to 18, 1e-5 up to 24, 1e-6 beyond: CaiT, section 2. (The official code
    has 1e-5 for XXS-36 too; weights that are loaded replace it either way.)

    Example:
        >>> [layer_scale_start(depth) for depth in (12, 24, 36)]
        [0.1, 1e-05, 1e-06]

    """
    if depth <= 18:
        return 0.1
    return 1e-5 if depth <= 24 else 1e-6


@refuse_unknown_arguments
def CaiT(
    *,
    input_shape: Shape = (224, 224, 3),
    patch_size: int = 16,
    embed_dim: int,
    depth: int,
    num_heads: int,
    mlp_ratio: float = 4.0,
    class_attention_depth: int = 2,
    init_values: float | None = None,
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
    """Builds a CaiT of any size, with random weights.

    Patches with learned positions go through `depth` blocks of talking-heads
    self-attention; only then a class token joins them, which in
    `class_attention_depth` blocks reads the patches and leaves them as they are.
    Every branch is scaled by LayerScale: `x = x + drop(scale(layer(norm(x))))`.

    Args:
        input_shape: Height, width (pixels, multiples of `patch_size`), channels.
        patch_size: Side of a patch in pixels.
        embed_dim: Length of a token; a multiple of `num_heads`.
        depth: Number of self-attention blocks.
        num_heads: Heads of each attention.
        mlp_ratio: Width of the feed-forward layers as a multiple of `embed_dim`.
        class_attention_depth: Number of class-attention blocks.
        init_values: Starting value of LayerScale; None for the paper's choice by
            depth, see `layer_scale_start`.
        distilled: Adds a distillation token beside the class token, and its
            head. No published checkpoint has them.
        drop_path_rate: Stochastic depth of every self-attention block alike, in
            [0, 1); class-attention blocks have none.
        dropout_rate: Dropout on positions and on the projections of self-attention
            blocks, in [0, 1); class-attention blocks have none.
        attention_dropout_rate: Dropout on the attention of the same blocks, in [0, 1).
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
        name: Name of the model; None for "cait", with a number where that is taken.

    Returns:
        A functional `keras.Model`: `(batch, height, width, channels)` to
        `(batch, classes)`.

    Raises:
        ValueError: If an argument is out of range or does not fit another.

    Example:
        >>> model = CaiT(
        ...     input_shape=(32, 48, 3), patch_size=8, embed_dim=32, depth=2,
        ...     num_heads=4, classes=10,
        ... )
        >>> model.output_shape
        (None, 10)

    Reference:
        Touvron et al., Going deeper with Image Transformers,
        https://arxiv.org/abs/2103.17239

    """
    check_image_shape(input_shape, patch_size)
    check_class_names(class_names, classes if include_top else None)
    check_width(embed_dim, num_heads)
    check_positive(depth=depth, class_attention_depth=class_attention_depth)
    rates = {
        "dropout_rate": dropout_rate,
        "attention_dropout_rate": attention_dropout_rate,
    }
    check_rates(drop_path_rate=drop_path_rate, **rates)
    if init_values is None:
        init_values = layer_scale_start(depth)
    branches = {
        "mlp_ratio": mlp_ratio,
        "scale": partial(LayerScale, init_values=init_values),
        "recompute": recompute,
    }

    inputs, x = patch_tokens(
        input_tensor,
        input_shape,
        patch_size=patch_size,
        embed_dim=embed_dim,
        include_preprocessing=include_preprocessing,
        preprocessing=preprocessing
        or published_preprocessing(
            "cait",
            input_shape,
            patch_size=patch_size,
            embed_dim=embed_dim,
            depth=depth,
            num_heads=num_heads,
        ),
    )
    x = PositionEmbedding(
        grid_size=(input_shape[0] // patch_size, input_shape[1] // patch_size),
        name="position_embedding",
    )(x)
    x = keras.layers.Dropout(
        dropout_rate, dtype=full_precision(), name="position_dropout"
    )(x)
    for index in range(depth):
        attention = TalkingHeads(
            num_heads=num_heads,
            recompute=recompute,
            name=f"block_{index}_attention",
            **rates,
        )
        x = block(
            x,
            attention,
            f"block_{index}",
            # One rate for all blocks, unlike DeiT's ramp.
            drop_path_rate=drop_path_rate,
            dropout_rate=dropout_rate,
            **branches,
        )

    x = class_attention_stage(
        x,
        depth=class_attention_depth,
        num_heads=num_heads,
        distilled=distilled,
        **branches,
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
        outputs = pool(x, pooling, 2 if distilled else 1)
    name = name or default_name("cait")
    return keras.Model(model_inputs(inputs, input_tensor), outputs, name=name)
