"""CaiT: a deep stack for the patches, then a short one for the class token."""

from dataclasses import dataclass
from functools import partial

import keras

from keras_cait.layers import LayerScale, PositionEmbedding, TalkingHeads
from keras_cait.layers.checks import check_positive
from keras_cait.layers.precision import full_precision
from keras_cait.models.arguments import (
    TransformerArguments,
    TransformerOptions,
    check_transformer,
    with_arguments_of,
)
from keras_cait.models.blocks import block, normalize
from keras_cait.models.class_attention_stage import class_attention_stage
from keras_cait.models.classifier_head import classify_or_pool
from keras_cait.models.functional_model import functional_model
from keras_cait.models.image_inputs import image_patches


def layer_scale_start(depth: int) -> float:
    """Starting value of LayerScale in a network of `depth` self-attention blocks.

    0.1 up to 18, 1e-5 up to 24, 1e-6 beyond: CaiT, section 2. (The official code
    has 1e-5 for XXS-36 too; weights that are loaded replace it either way.)
    """
    if depth <= 18:
        return 0.1
    return 1e-5 if depth <= 24 else 1e-6


@dataclass(frozen=True, kw_only=True)
class CaiTOptions(TransformerOptions):
    """Options of a CaiT of any size.

    Attributes:
        class_attention_depth: Number of class-attention blocks.
        init_values: Starting value of LayerScale; None for the paper's value for this
            depth, see `layer_scale_start`.
        distilled: Whether it has a distillation token beside the class token, and its
            head. No published checkpoint has them.
    """

    class_attention_depth: int = 2
    init_values: float | None = None
    distilled: bool = False


@dataclass(frozen=True, kw_only=True)
class CaiTArguments(CaiTOptions, TransformerArguments): ...  # noqa: D101


@with_arguments_of(CaiTArguments)
def CaiT(arguments: CaiTArguments) -> keras.Model:
    """Builds a CaiT of any size, with random weights.

    Patches with learned positions go through `depth` blocks of talking-heads
    self-attention; only then a class token joins them, which in
    `class_attention_depth` blocks reads the patches and leaves them as they are.
    Every branch is scaled by LayerScale: `x = x + drop(scale(layer(norm(x))))`.

    Stochastic depth is the same in every self-attention block; dropout acts on
    positions and in these blocks. Class-attention blocks have neither. `CaiTOptions`
    and its neighbors in `keras_cait.models.arguments` describe each argument. Output
    and errors are those of `keras_cait.DeiT`.

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
    check_transformer(arguments)
    check_positive(class_attention_depth=arguments.class_attention_depth)
    init_values = arguments.init_values
    if init_values is None:
        init_values = layer_scale_start(arguments.depth)
    implementation = arguments.attention_implementation
    branches = {
        "mlp_ratio": arguments.mlp_ratio,
        "scale": partial(LayerScale, init_values=init_values),
        "recompute": arguments.recompute,
    }

    inputs, x = image_patches(arguments, "cait")
    x = PositionEmbedding(grid_size=arguments.grid_size, name="position_embedding")(x)
    x = keras.layers.Dropout(
        arguments.dropout_rate, dtype=full_precision(), name="position_dropout"
    )(x)
    for index in range(arguments.depth):
        attention = TalkingHeads(
            num_heads=arguments.num_heads,
            attention_dropout_rate=arguments.attention_dropout_rate,
            dropout_rate=arguments.dropout_rate,
            recompute=arguments.recompute,
            implementation=implementation,
            name=f"block_{index}_attention",
        )
        x = block(
            x,
            attention,
            f"block_{index}",
            # One rate for all blocks, unlike DeiT's ramp.
            drop_path_rate=arguments.drop_path_rate,
            dropout_rate=arguments.dropout_rate,
            **branches,
        )
    x = class_attention_stage(
        x,
        depth=arguments.class_attention_depth,
        num_heads=arguments.num_heads,
        # Its maps are of one or two rows, and need no kernel.
        implementation="auto" if implementation == "kernel" else implementation,
        distilled=arguments.distilled,
        **branches,
    )
    x = normalize(x, "norm")
    outputs = classify_or_pool(x, arguments, distilled=arguments.distilled)
    return functional_model(inputs, outputs, arguments, "cait")
