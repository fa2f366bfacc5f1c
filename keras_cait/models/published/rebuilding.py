"""Rebuilds a saved model for other images or other classes."""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from keras_cait.layers import LayerScale, StochasticDepth
from keras_cait.models.classes.head_transfer import head_weights, reorder_heads
from keras_cait.models.classes.names import class_names_of
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.families import FAMILIES
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.models.published.saved_models import load_saved_model
from keras_cait.typing import Shape
from keras_cait.variants import VARIANTS
from keras_cait.weights import save_timm_weights
from keras_cait.weights.load import load_tensors
from keras_cait.weights.tensors.variant_detection import traits, variant_name
from keras_cait.weights.timm.names import timm_shapes


def rebuild(
    path: Path,
    *,
    input_shape: Shape,
    classes: int,
    class_names: Sequence[str] | None = None,
    drop_path_rate: float | None = None,
    preprocessing_overrides: Mapping[str, Any] | None = None,
    with_weights: bool = True,
) -> keras.Model:
    """Builds the transformer of a `.keras` file, for images in [0, 255].

    Position embeddings are resampled for another image size. A head for other classes
    starts anew, with a warning; one for the same classes in another order is
    reordered. Dropout rates are the file's. A `class_names` of None stands for the
    file's, if they are as many; a `drop_path_rate` of None for the published rate of a
    published architecture, and for the file's of any other. `preprocessing_overrides`
    replace fields of the file's `Preprocessing`.
    """
    saved = load_saved_model(path)
    family, sizes = _sizes_of(saved, path)
    takes_pixels(saved)  # raises if another layer changes the images first
    known = class_names_of(saved)
    if class_names is None and known is not None and len(known) == classes:
        class_names = known
    if drop_path_rate is None:
        drop_path_rate = published_drop_path_rate(saved)
    model = FAMILIES[family](
        **sizes,
        input_shape=input_shape,
        classes=classes,
        class_names=class_names,
        drop_path_rate=drop_path_rate,
        include_preprocessing=True,
        preprocessing=replace(
            preprocessing_for(saved), image_size=None, **(preprocessing_overrides or {})
        ),
    )
    if with_weights:
        start = head_weights(model)
        with tempfile.TemporaryDirectory() as folder:
            weights = Path(folder, "weights.safetensors")
            save_timm_weights(saved, weights)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                load_tensors(model, weights, new_head=True)
        for warning in caught:  # naming the user's file, not the copy of its weights
            text = str(warning.message).replace(str(weights), str(path))
            warnings.warn(text, stacklevel=2)
        if class_names is not None:
            reorder_heads(model, start, class_names=class_names, loaded_names=known)
    return model


def published_drop_path_rate(model: keras.Model) -> float:
    """The published rate of a published architecture, or else the model's own."""
    name = variant_name(timm_shapes(model))
    return own_drop_path_rate(model) if name is None else VARIANTS[name].drop_path_rate


def own_drop_path_rate(model: keras.Model) -> float:
    """The highest stochastic depth of a model's blocks, in [0, 1)."""
    layers = [layer for layer in model.layers if isinstance(layer, StochasticDepth)]
    return max((layer.rate for layer in layers), default=0.0)


def _sizes_of(saved: keras.Model, path: Path) -> tuple[str, dict[str, Any]]:
    shapes = timm_shapes(saved)
    found = traits(shapes)
    family = found.pop("family")
    if family == "regnet":
        raise ValueError(
            "Expected a transformer of this package, to build it for other images. "
            f"Received: {path}, which holds a {family}."
        )
    if family == "deit3":
        found.pop("distilled")
    if family == "cait":
        found["distilled"] = "dist_token" in shapes
        found["class_attention_depth"] = sum(
            name.startswith("blocks_token_only.") and name.endswith(".norm1.weight")
            for name in shapes
        )
    hidden = shapes["blocks.0.mlp.fc1.weight"][0]
    found["mlp_ratio"] = hidden / found["embed_dim"]
    attention = saved.get_layer("block_0_attention")
    found["num_heads"] = attention.num_heads
    # Settings of the file's training.
    dropouts = [row for row in saved.layers if isinstance(row, keras.layers.Dropout)]
    found["dropout_rate"] = max((row.rate for row in dropouts), default=0.0)
    found["attention_dropout_rate"] = attention.attention_dropout_rate
    found["recompute"] = attention.recompute
    found["attention_implementation"] = attention.implementation
    scales = [layer for layer in saved.layers if isinstance(layer, LayerScale)]
    if scales:
        found["init_values"] = scales[0].init_values
    return family, found
