"""Networks of CaiT's table 2: insertion of the class token at several blocks."""

import keras

from keras_cait.layers import ClassToken, PositionEmbedding, SelfAttention
from keras_cait.models.arguments import TransformerArguments, check_transformer
from keras_cait.models.blocks import MakeLayer, block, normalize
from keras_cait.models.class_attention_stage import class_attention_stage
from keras_cait.models.classifier_head import linear_head, pool, predictions
from keras_cait.models.image_inputs import image_patches
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape

MLP_RATIO = 4.0  # as in every published DeiT and CaiT


def token_insertion_network(
    insertion: int | None,
    *,
    class_attention_depth: int = 0,
    input_shape: Shape,
    patch_size: int,
    embed_dim: int,
    depth: int,
    num_heads: int,
    classes: int,
    scale: MakeLayer | None = None,
    drop_path_rate: float = 0.0,
    include_preprocessing: bool = False,
    name: str = "token_insertion",
) -> keras.Model:
    """Builds a transformer of plain self-attention with a late class token.

    The steps from DeiT to CaiT (https://arxiv.org/abs/2103.17239, section 3, table 2):

    - `insertion=0`: the token goes through all blocks and has a position, as in DeiT;
    - `insertion=k`: the token is inserted before block `k`, without a position;
    - `insertion=depth`: the token is in `class_attention_depth` class-attention blocks
      only, which do not change the patches, as in CaiT, but without LayerScale and
      talking heads; otherwise `class_attention_depth` is 0;
    - `insertion=None`: no token; the head takes the mean of the patches after the
      last norm.

    `scale` makes the layer that scales a residual branch; the table has none.
    Stochastic depth acts in self-attention blocks, not in class-attention blocks.
    The other arguments are those of `keras_cait.CaiT`; the output is probabilities.
    """
    arguments = TransformerArguments(
        input_shape=input_shape,
        patch_size=patch_size,
        embed_dim=embed_dim,
        depth=depth,
        num_heads=num_heads,
        drop_path_rate=drop_path_rate,
        include_preprocessing=include_preprocessing,
        preprocessing=Preprocessing(),
    )
    check_transformer(arguments)
    _check_insertion(insertion, depth, class_attention_depth)
    branches = {"mlp_ratio": MLP_RATIO, "scale": scale}

    inputs, x = image_patches(arguments, "token_insertion")
    if insertion == 0:
        x = ClassToken(name="class_token")(x)
    x = PositionEmbedding(
        grid_size=arguments.grid_size,
        num_prefix_tokens=1 if insertion == 0 else 0,
        name="position_embedding",
    )(x)
    for index in range(depth):
        if index == insertion != 0:
            x = ClassToken(name="class_token")(x)
        attention = SelfAttention(num_heads=num_heads, name=f"block_{index}_attention")
        x = block(
            x, attention, f"block_{index}", drop_path_rate=drop_path_rate, **branches
        )
    if class_attention_depth:
        x = class_attention_stage(
            x, depth=class_attention_depth, num_heads=num_heads, **branches
        )
    x = normalize(x, "norm")
    features = pool(x, "avg", 0) if insertion is None else x[:, 0]
    outputs = predictions(linear_head(features, classes), "softmax")
    return keras.Model(inputs, outputs, name=name)


def _check_insertion(
    insertion: int | None, depth: int, class_attention_depth: int
) -> None:
    if insertion is not None and not 0 <= insertion <= depth:
        raise ValueError(
            "`insertion` must be None or from 0 to `depth`. "
            f"Received: insertion={insertion}, depth={depth}"
        )
    if class_attention_depth < 0 or (class_attention_depth > 0) != (insertion == depth):
        raise ValueError(
            "`class_attention_depth` must be 1 or more for `insertion=depth`, and 0 "
            "where the token enters earlier or never. Received: "
            f"class_attention_depth={class_attention_depth}, insertion={insertion}, "
            f"depth={depth}"
        )
