"""How images are prepared for a model: what it keeps of that, and what it does itself.

A model keeps its `Preprocessing` in the configuration of its first layer,
`ImagePreprocessing`, which also normalizes where `include_preprocessing=True`, and its
class names in that of its last, `Predictions`; so whatever keeps layers keeps both:
saving, loading, cloning, `keras.Model(model.input, ...)`.
Here alone it is decided what a model's preprocessing is and whether it takes pixels.
"""

from collections.abc import Iterator

import keras

from keras_cait.layers import ImagePreprocessing, PatchEmbedding
from keras_cait.models.published.registry import find_variant
from keras_cait.preprocessing import Preprocessing
from keras_cait.variants import VARIANTS
from keras_cait.weights.metadata.model_metadata import carried_preprocessing, layers_of
from keras_cait.weights.tensors.variant_detection import variant_name
from keras_cait.weights.timm.names import timm_parameters


def preprocessing_for(model: keras.Model | str) -> Preprocessing:
    """How images are prepared for a model.

    Args:
        model: A name of timm's ("cait_s24_384") or of ours ("CaiT_S24"), for what
            its weights were published with; or a model of this package, for what it
            keeps, which is what it was built or saved with.

    Returns:
        A `Preprocessing`. For a model its `image_size` is that of the model.

    Raises:
        ValueError: If there is no such name, or the model is not of this package.

    Example:
        >>> preprocessing_for("deit_tiny_patch16_224").crop_pct
        0.9

    Reference:
        The configurations that timm publishes with the weights.

    """
    if isinstance(model, str):
        variant, checkpoint = find_variant(model)
        size = checkpoint.image_size if checkpoint else variant.image_size
        if checkpoint is None and variant.checkpoints:
            checkpoint = variant.checkpoints[0]
        known = checkpoint.preprocessing if checkpoint else Preprocessing()
        return known.of_model((size, size, 3))
    found = carried_preprocessing(model) or _of_layout(model)
    return found.of_model(model.input_shape[1:])


def own_preprocessing(model: keras.Model) -> Preprocessing:
    """How images are prepared for a model of this package or of another.

    As `preprocessing_for`, but a model of another package or layout is taken to see
    the whole image at its size.

    Example:
        >>> other = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()])
        >>> own_preprocessing(other).image_size, own_preprocessing(other).crop_pct
        ((32, 32), 1.0)

    """
    try:
        return preprocessing_for(model)
    except ValueError:
        return Preprocessing().of_model(model.input_shape[1:])


def _of_layout(model: keras.Model) -> Preprocessing:
    """What a model saved without its preprocessing is prepared as: its layout's."""
    parameters = timm_parameters(model)
    name = variant_name({key: entry.timm_shape for key, entry in parameters.items()})
    if name is None or not VARIANTS[name].checkpoints:
        return Preprocessing()
    return VARIANTS[name].checkpoint_for(model.input_shape[1:]).preprocessing


# Layers that leave the range of pixels as it is.
_GEOMETRIC = (
    keras.layers.Resizing,
    keras.layers.CenterCrop,
    keras.layers.RandomCrop,
    keras.layers.RandomFlip,
    keras.layers.RandomRotation,
    keras.layers.RandomTranslation,
    keras.layers.RandomZoom,
    keras.layers.Identity,
    keras.layers.Dropout,
    keras.layers.InputLayer,
    keras.layers.ZeroPadding2D,
)
_LEGACY = "normalize"  # the Rescaling of files from before there was a layer for it


def takes_pixels(model: keras.Model) -> bool:
    """Whether images come to a model in [0, 255], or normalized by mean and std.

    Args:
        model: A model of this package; any other is taken to want pixels.

    Raises:
        ValueError: If a model of this package does something else to images first,
            so that it cannot be told.

    Example:
        >>> import keras_cait
        >>> sizes = dict(patch_size=8, embed_dim=8, depth=1, num_heads=2)
        >>> takes_pixels(keras_cait.DeiT(input_shape=(16, 16, 3), **sizes))
        False

    """
    begins = _beginning(model) if getattr(model, "inputs", None) else None
    if begins is None:
        return True
    in_front = [row for row in _in_front(model, begins) if not _is_geometric(row)]
    normalizes = isinstance(begins, ImagePreprocessing) and begins.normalize
    if [row.name for row in in_front] == [_LEGACY]:
        in_front, normalizes = [], True
    if in_front:
        raise ValueError(
            "Expected a model that takes its images normalized, or normalizes them as "
            f"`include_preprocessing=True` has it. Received: {model.name!r}, which "
            f"begins with {', '.join(repr(row.name) for row in in_front)}: it cannot "
            "be told which images that is for. Build it without, and with "
            "`include_preprocessing=True, preprocessing=keras_cait.Preprocessing("
            "mean=..., std=...)`."
        )
    return normalizes


def _beginning(model: keras.Model) -> keras.layers.Layer | None:
    """The layer with which the models of this package begin; None for others."""
    layers = list(layers_of(model))
    kept = [row for row in layers if isinstance(row, ImagePreprocessing)]
    if kept:
        return max(kept, key=lambda row: row.normalize)
    # Of files from before there was one.
    stems = [row for row in layers if isinstance(row, PatchEmbedding)]
    stems += [row for row in layers if row.name == "stem_conv"]
    return stems[0] if stems else None


def _in_front(
    model: keras.Model, layer: keras.layers.Layer
) -> Iterator[keras.layers.Layer]:
    """What images go through before they reach a layer, nearest first."""
    if all(layer is not row for row in model.layers):  # it is of a model inside
        inner = next(
            row
            for row in model.layers
            if isinstance(row, keras.Model) and any(layer is x for x in layers_of(row))
        )
        yield from _in_front(inner, layer)
        layer = inner
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs)
    # The node of this graph: a layer may be called in others too.
    nodes = [node for level in model._nodes_by_depth.values() for node in level]
    pending = [node for node in nodes if node.operation is layer][:1]
    while pending:
        parents = pending.pop().parent_nodes
        for node in parents:
            yield node.operation
        pending += parents


def _is_geometric(layer: keras.layers.Layer) -> bool:
    if isinstance(layer, keras.Model):
        return all(_is_geometric(inner) for inner in layer.layers)
    if isinstance(layer, ImagePreprocessing):
        return not layer.normalize
    return isinstance(layer, _GEOMETRIC)
