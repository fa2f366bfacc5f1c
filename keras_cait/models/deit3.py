"""DeiT-III: LayerScale, and positions for the patches alone."""

from collections.abc import Sequence
from functools import partial

import keras

from keras_cait.layers import (
    ClassToken,
    LayerScale,
    PositionEmbedding,
    SelfAttention,
)
from keras_cait.layers.checks import check_positive, check_rates
from keras_cait.layers.precision import full_precision
from keras_cait.models.argument_checks import default_name, refuse_unknown_arguments
from keras_cait.models.blocks import block, normalize
from keras_cait.models.classes.names import check_class_names
from keras_cait.models.classifier_head import linear_head, pool, predictions
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
def DeiT3(
    *,
    input_shape: Shape = (224, 224, 3),
    patch_size: int = 16,
    embed_dim: int,
    depth: int,
    num_heads: int,
    mlp_ratio: float = 4.0,
    init_values: float = 1e-4,
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
    """Builds a DeiT-III of any size, with random weights.

    As `keras_cait.DeiT`, but positions are added before the class token joins, so
    that it has none; every branch is scaled by LayerScale; and stochastic depth
    is the same in every block.

    Args:
        input_shape: Height, width (pixels, multiples of `patch_size`), channels.
        patch_size: Side of a patch in pixels.
        embed_dim: Length of a token; a multiple of `num_heads`.
        depth: Number of blocks.
        num_heads: Heads of each self-attention.
        mlp_ratio: Width of the feed-forward layers as a multiple of `embed_dim`.
        init_values: Starting value of LayerScale.
        drop_path_rate: Stochastic depth of every block alike, in [0, 1).
        dropout_rate: Dropout on the class token in front of the classifier, in
            [0, 1); the blocks have none.
        attention_dropout_rate: Dropout on the attention of every block, in [0, 1).
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
            `(batch, tokens, embed_dim)`; "token", the class token; "avg", the mean
            patch token.
        classes: Number of classes.
        class_names: Their names, in order, which the model keeps; None for none.
        classifier_activation: Activation of the output; None for logits.
        name: Name of the model; None for "deit3", with a number where that is taken.

    Returns:
        A functional `keras.Model`: `(batch, height, width, channels)` to
        `(batch, classes)`.

    Raises:
        ValueError: If an argument is out of range or does not fit another.

    Example:
        >>> model = DeiT3(
        ...     input_shape=(32, 48, 3), patch_size=8, embed_dim=32, depth=2,
        ...     num_heads=4, classes=10,
        ... )
        >>> model.output_shape
        (None, 10)

    Reference:
        Touvron et al., DeiT III: Revenge of the ViT, section 3,
        https://arxiv.org/abs/2204.07118

    """
    check_image_shape(input_shape, patch_size)
    check_class_names(class_names, classes if include_top else None)
    check_width(embed_dim, num_heads)
    check_positive(depth=depth)
    check_rates(
        drop_path_rate=drop_path_rate,
        dropout_rate=dropout_rate,
        attention_dropout_rate=attention_dropout_rate,
    )

    inputs, x = patch_tokens(
        input_tensor,
        input_shape,
        patch_size=patch_size,
        embed_dim=embed_dim,
        include_preprocessing=include_preprocessing,
        preprocessing=preprocessing
        or published_preprocessing(
            "deit3",
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
    x = ClassToken(name="class_token")(x)  # (batch, 1 + patches, embed_dim)
    for index in range(depth):
        attention = SelfAttention(
            num_heads=num_heads,
            attention_dropout_rate=attention_dropout_rate,
            recompute=recompute,
            name=f"block_{index}_attention",
        )
        x = block(
            x,
            attention,
            f"block_{index}",
            mlp_ratio=mlp_ratio,
            recompute=recompute,
            scale=partial(LayerScale, init_values=init_values),
            drop_path_rate=drop_path_rate,
        )
    x = normalize(x, "norm")

    if include_top:
        # Not in the blocks (models_v2.py of facebookresearch/deit, lines 204 and 263).
        features = keras.layers.Dropout(
            dropout_rate, dtype=full_precision(), name="head_dropout"
        )(x[:, 0])
        logits = linear_head(features, classes)
        outputs = predictions(logits, classifier_activation, class_names)
    else:
        outputs = pool(x, pooling, 1)
    name = name or default_name("deit3")
    return keras.Model(model_inputs(inputs, input_tensor), outputs, name=name)
