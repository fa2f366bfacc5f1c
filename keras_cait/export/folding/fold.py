"""Models made for inference: what training needs is folded into the weights."""

from collections.abc import Callable

import keras

from keras_cait.export.folding import blocks as fold_blocks
from keras_cait.export.folding import embedding as fold_embedding
from keras_cait.export.folding import heads as fold_heads
from keras_cait.export.folding.folded_tensors import Folded, Folding
from keras_cait.export.folding.full_precision import float32_input, functional
from keras_cait.export.folding.graph import Graph, Step
from keras_cait.export.folding.merged_heads import merged_heads
from keras_cait.export.folding.required_tensors import is_idle, is_join, is_norm
from keras_cait.layers import (
    ClassAttention,
    FeedForward,
    ImagePreprocessing,
    PatchEmbedding,
    PositionEmbedding,
    SelfAttention,
)
from keras_cait.layers.tokens import LearnedToken
from keras_cait.typing import Tensor
from keras_cait.weights.timm.names import timm_parameters

_RULES = (
    ((SelfAttention, ClassAttention), fold_blocks.attention),
    (FeedForward, fold_blocks.feed_forward),
    (keras.layers.Add, fold_blocks.add),
    ((keras.layers.Rescaling, ImagePreprocessing), fold_embedding.rescaling),
    (PatchEmbedding, fold_embedding.patches),
    (LearnedToken, fold_embedding.learned_token),
    (PositionEmbedding, fold_embedding.positions),
    (keras.layers.Dense, fold_heads.dense),
    (keras.layers.Conv2D, fold_heads.convolution),
)


def fold(model: keras.Model) -> keras.Model:
    """Rebuilds a model of this package for inference alone.

    It takes and gives what the model does, in float32, with fewer operators and less
    to compute. What is left out is computed into the weights, in float64:

    - LayerScale, the query's `1 / sqrt(head_dim)`, LayerNorm's gain and bias, and
      batch normalization go into the linear layers and convolutions beside them;
    - all that is added to the tokens is centered, since LayerNorm takes the mean over
      the channels off: it divides by the root of the mean square, and that is all;
    - normalizing the image goes into the patch embedding, whose bias joins learned
      tokens and positions in one addition;
    - where only the mean of two heads is wanted, they are one linear layer;
    - the bias before the softmax of talking heads, which that does not see, dropout
      and stochastic depth are gone.

    Of the last blocks only the tokens are computed that the outputs need. Outputs
    differ by 1e-6 or so of the largest logit, in the last bits of float32.

    Args:
        model: A model of DeiT, DeiT3, CaiT or RegNetY, of any precision, features and
            separate heads too, with any layers of Keras without weights in the same
            graph. It is left as it is.

    Returns:
        Another `keras.Model`, with weights of its own, which are not to be trained.

    Raises:
        ValueError: If it is another model, or has layers of one's own.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=16, depth=2,
        ...     num_heads=2, distilled=True, classes=10,
        ... )
        >>> len(fold(model).layers), len(model.layers)
        (18, 28)

    """
    model = functional(model)
    check_foldable(model)
    folding = Folding(model)
    inputs = keras.tree.map_structure(
        lambda tensor: _take_in(folding, tensor), model.input
    )
    for step in folding.graph.steps:
        needed = any(folding.needs.tokens(tensor) for tensor in step.outputs)
        if needed and not folding.has(step.output):
            _rebuild(folding, step)
    outputs = keras.tree.map_structure(folding.whole, model.output)
    return keras.Model(inputs, outputs, name=model.name)


def _take_in(folding: Folding, tensor: Tensor) -> Tensor:
    made = float32_input(tensor)
    folding.put(tensor, Folded(made))
    return made


def _rebuild(folding: Folding, step: Step) -> None:
    rule = _rule(folding, step)
    if rule is not None:
        folding.put(step.output, rule(folding, step))
        return
    results = keras.tree.flatten(folding.again(step))
    for tensor, result in zip(step.outputs, results, strict=True):
        folding.put(tensor, Folded(result))


def _rule(folding: Folding, step: Step) -> Callable[[Folding, Step], Folded] | None:
    if step in folding.taken_over or is_idle(step):
        return lambda folding, step: folding.pending(step.input)
    heads = merged_heads(folding.graph, step)
    if heads is not None:
        return lambda folding, _: fold_heads.mean_of_heads(folding, heads)
    for applies, rule in (
        (is_norm(step), fold_blocks.norm),
        (is_join(step), fold_blocks.join),
        (step.picked_tokens is not None, fold_heads.pick),
    ):
        if applies:
            return rule
    return next((rule for kinds, rule in _RULES if step.calls(kinds)), None)


def check_foldable(model: keras.Model) -> None:
    """Refuses a functional model that is not of this package.

    Raises:
        ValueError: If it holds another model, weights of others, or layers of one's
            own.

    """
    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.weights:
            raise ValueError(
                "Expected a model of keras_cait, not one with it inside. Received: "
                f"{model.name!r}, which holds {layer.name!r}. Pass that model itself, "
                "and do what is around it before and after."
            )
    parameters = timm_parameters(model)  # raises ValueError for weights of others
    if not {"patch_embed.proj.weight", "stem.conv.weight"} & parameters.keys():
        raise ValueError(
            "Expected a model as keras_cait.DeiT, DeiT3, CaiT and RegNetY make it. "
            f"Received: {model.name!r}, which has neither a patch embedding nor the "
            "stem of a RegNet."
        )
    for step in Graph(model).steps:
        kind = type(step.operation)
        if kind.__module__.partition(".")[0] not in ("keras", "keras_cait"):
            raise ValueError(
                "Expected layers of keras_cait and Keras only, which can be "
                f"folded. Received: {step.operation.name!r}, a {kind.__name__} of "
                f"{kind.__module__}. Leave it out of the model, or export the model "
                "without it."
            )
