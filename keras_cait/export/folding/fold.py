"""Folding: models rebuilt for inference with gains and norms in their weights."""

from collections.abc import Callable

import keras

from keras_cait.export.folding import blocks as fold_blocks
from keras_cait.export.folding import convolutions as fold_convolutions
from keras_cait.export.folding import embedding as fold_embedding
from keras_cait.export.folding.folded_tensors import FoldedTensor, Folding
from keras_cait.export.folding.full_precision import float32_input, functional
from keras_cait.export.folding.graph import Graph, Step
from keras_cait.export.folding.merged_heads import merged_heads
from keras_cait.export.folding.required_tensors import (
    is_concatenation,
    is_identity,
    is_norm,
)
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
    (keras.layers.Dense, fold_blocks.dense),
    (keras.layers.Conv2D, fold_convolutions.convolution),
)


_Rule = Callable[[Folding, Step], FoldedTensor]


def fold(model: keras.Model) -> keras.Model:
    """Rebuilds a model of this package for inference.

    Inputs and outputs stay the same, in float32, with fewer operators. The weights are
    computed in float64:

    - linear layers and convolutions absorb LayerScale, the query's
      `1 / sqrt(head_dim)`, LayerNorm's gain and bias, and batch normalization;
    - everything that is added to the tokens is centered, because LayerNorm subtracts
      the mean over the channels; what remains of it divides by the root mean square;
    - the patch embedding absorbs the normalization of images, and one addition has its
      bias, the learned tokens and the positions;
    - two heads of which only the mean is an output become one linear layer;
    - dropout, stochastic depth and the bias before the softmax of talking heads, which
      the softmax ignores, are removed.

    The last blocks compute only the tokens that the outputs depend on. Outputs differ
    by about 1e-6 of the largest logit.

    Args:
        model: A model of DeiT, DeiT3, CaiT or RegNetY, of any precision, also with
            features, separate heads or attention scores as outputs, and with layers of
            Keras without weights in the same graph. It is not changed.

    Returns:
        A new `keras.Model` with its own weights, for inference only.

    Raises:
        ValueError: If it is another model, or contains layers of other packages.

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
        lambda tensor: _new_input(folding, tensor), model.input
    )
    for step in folding.graph.steps:
        needed = any(folding.required.tokens(tensor) for tensor in step.outputs)
        if needed and not folding.has(step.output):
            _rebuild(folding, step)
    outputs = keras.tree.map_structure(folding.tensor, model.output)
    return keras.Model(inputs, outputs, name=model.name)


def _new_input(folding: Folding, tensor: Tensor) -> Tensor:
    made = float32_input(tensor)
    folding.set(tensor, FoldedTensor(made))
    return made


def _rebuild(folding: Folding, step: Step) -> None:
    rule = _rule(folding, step)
    if rule is not None:
        folding.set(step.output, rule(folding, step))
        return
    results = keras.tree.flatten(folding.rebuild(step))
    for tensor, result in zip(step.outputs, results, strict=True):
        folding.set(tensor, FoldedTensor(result))


def _rule(
    folding: Folding, step: Step
) -> Callable[[Folding, Step], FoldedTensor] | None:
    if step in folding.absorbed or is_identity(step):
        return lambda folding, step: folding.unfinished(step.input)
    heads = merged_heads(folding.graph, step)
    if heads is not None:
        return lambda folding, _: fold_blocks.mean_of_heads(folding, heads)
    for applies, rule in (
        (is_norm(step), fold_blocks.norm),
        (is_concatenation(step), fold_blocks.concatenate),
        (step.selected_tokens is not None, fold_blocks.select_tokens),
    ):
        if applies:
            return rule
    return next((rule for kinds, rule in _RULES if step.calls(kinds)), None)


def check_foldable(model: keras.Model) -> None:
    """Raises `ValueError` for a model that is not of this package."""
    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.weights:
            raise ValueError(
                "Expected a model of keras_cait, not one that contains it. Received: "
                f"{model.name!r}, which contains {layer.name!r}. Pass the inner model, "
                "and apply the other layers before and after it."
            )
    parameters = timm_parameters(model)  # raises ValueError for other packages
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
                f"{kind.__module__}. Export the model "
                "without it."
            )
