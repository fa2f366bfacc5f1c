"""Test of a model's inputs: pixels in [0, 255], or normalized images."""

from collections.abc import Iterator

import keras

from keras_cait.layers import ImagePreprocessing, PatchEmbedding
from keras_cait.weights.metadata.model_metadata import all_layers, preprocessing_layer

# Layers that do not change the range of pixels.
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
# Name of the Rescaling layer of files older than `ImagePreprocessing`.
_LEGACY_NORMALIZATION = "normalize"


def takes_pixels(model: keras.Model) -> bool:
    """Whether a model takes images in [0, 255], or images normalized by mean and std.

    A model of another package counts as one of pixels. Raises `ValueError` if a model
    of this package begins with another layer that changes the range of its images.
    """
    first = _first_layer(model) if getattr(model, "inputs", None) else None
    if first is None:
        return True
    in_front = [row for row in _layers_before(model, first) if not _is_geometric(row)]
    if [row.name for row in in_front] == [_LEGACY_NORMALIZATION]:
        return True
    if in_front:
        raise ValueError(
            "Expected a model that takes its images normalized, or normalizes them as "
            f"`include_preprocessing=True` does. Received: {model.name!r}, which "
            f"begins with {', '.join(repr(row.name) for row in in_front)}, so it is "
            "unknown which images it takes. Build it without these layers, and with "
            "`include_preprocessing=True, preprocessing=keras_cait.Preprocessing("
            "mean=..., std=...)`."
        )
    return isinstance(first, ImagePreprocessing) and first.normalize


def _first_layer(model: keras.Model) -> keras.layers.Layer | None:
    """The layer with which the models of this package begin; None for others."""
    found = preprocessing_layer(model)
    if found is not None:
        return found
    layers = list(all_layers(model))  # of files older than `ImagePreprocessing`
    stems = [row for row in layers if isinstance(row, PatchEmbedding)]
    stems += [row for row in layers if row.name == "stem_conv"]
    return stems[0] if stems else None


def _layers_before(
    model: keras.Model, layer: keras.layers.Layer
) -> Iterator[keras.layers.Layer]:
    """The layers between a model's inputs and one of its layers, nearest first."""
    if all(layer is not row for row in model.layers):  # it belongs to an inner model
        inner = next(
            row
            for row in model.layers
            if isinstance(row, keras.Model) and any(layer is x for x in all_layers(row))
        )
        yield from _layers_before(inner, layer)
        layer = inner
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs)
    # The node of this graph: a layer may be called in other graphs too.
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
