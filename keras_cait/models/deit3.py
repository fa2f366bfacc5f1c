"""DeiT-III: LayerScale, and positions for the patches alone."""

from dataclasses import dataclass
from functools import partial

import keras

from keras_cait.layers import (
    ClassToken,
    LayerScale,
    PositionEmbedding,
    SelfAttention,
)
from keras_cait.layers.precision import full_precision
from keras_cait.models.arguments import (
    TransformerArguments,
    TransformerOptions,
    check_transformer,
    with_arguments_of,
)
from keras_cait.models.blocks import block, normalize
from keras_cait.models.classifier_head import linear_head, pool, predictions
from keras_cait.models.functional_model import functional_model
from keras_cait.models.image_inputs import image_patches


@dataclass(frozen=True, kw_only=True)
class DeiT3Options(TransformerOptions):
    """Options of a DeiT-III of any size.

    Attributes:
        init_values: Starting value of LayerScale.
    """

    init_values: float = 1e-4


@dataclass(frozen=True, kw_only=True)
class DeiT3Arguments(DeiT3Options, TransformerArguments): ...  # noqa: D101


@with_arguments_of(DeiT3Arguments)
def DeiT3(arguments: DeiT3Arguments) -> keras.Model:
    """Builds a DeiT-III of any size, with random weights.

    As `keras_cait.DeiT`, but positions are added before the class token joins, so
    that it has none; every branch is scaled by LayerScale; and stochastic depth
    is the same in every block. Dropout acts on the class token in front of the
    classifier only. `DeiT3Options` and its neighbors in `keras_cait.models.arguments`
    describe each argument.

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
    check_transformer(arguments)
    inputs, x = image_patches(arguments, "deit3")
    x = PositionEmbedding(grid_size=arguments.grid_size, name="position_embedding")(x)
    x = ClassToken(name="class_token")(x)  # (batch, 1 + patches, embed_dim)
    for index in range(arguments.depth):
        attention = SelfAttention(
            num_heads=arguments.num_heads,
            attention_dropout_rate=arguments.attention_dropout_rate,
            recompute=arguments.recompute,
            implementation=arguments.attention_implementation,
            name=f"block_{index}_attention",
        )
        x = block(
            x,
            attention,
            f"block_{index}",
            mlp_ratio=arguments.mlp_ratio,
            recompute=arguments.recompute,
            scale=partial(LayerScale, init_values=arguments.init_values),
            drop_path_rate=arguments.drop_path_rate,
        )
    x = normalize(x, "norm")
    if arguments.include_top:
        # Not in the blocks (models_v2.py of facebookresearch/deit, lines 204 and 263).
        features = keras.layers.Dropout(
            arguments.dropout_rate, dtype=full_precision(), name="head_dropout"
        )(x[:, 0])
        logits = linear_head(features, arguments.classes)
        outputs = predictions(
            logits, arguments.classifier_activation, arguments.class_names
        )
    else:
        outputs = pool(x, arguments.pooling, 1)
    return functional_model(inputs, outputs, arguments, "deit3")
