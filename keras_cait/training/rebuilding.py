"""A saved model once more, for other images or other classes."""

import tempfile
from pathlib import Path
from typing import Any

import keras

from keras_cait.models.cait import CaiT
from keras_cait.models.deit import DeiT
from keras_cait.models.deit3 import DeiT3
from keras_cait.models.saved_models import load_saved_model
from keras_cait.typing import Shape
from keras_cait.weights import load_weights, save_timm_weights
from keras_cait.weights.recognise import traits
from keras_cait.weights.timm_names import timm_parameters

_FAMILIES = {"deit": DeiT, "cait": CaiT, "deit3": DeiT3}


def rebuild(
    path: Path,
    *,
    input_shape: Shape,
    classes: int,
    drop_path_rate: float = 0.0,
    with_weights: bool = True,
) -> keras.Model:
    """Builds a transformer of this package as a file has it, of images in [0, 255].

    Position embeddings are resampled where the images have another size, and a
    head for other classes starts anew, with a warning.

    Args:
        path: A `.keras` file.
        input_shape: Height and width in pixels, and channels, of the images.
        classes: Number of classes.
        drop_path_rate: Stochastic depth, in [0, 1).
        with_weights: Whether it gets the file's weights, or random ones.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds no transformer of this package, or the images do not
            fit it.

    """
    saved = load_saved_model(path)
    family, sizes = _sizes_of(saved, path)
    model = _FAMILIES[family](
        **sizes,
        input_shape=input_shape,
        classes=classes,
        drop_path_rate=drop_path_rate,
        include_preprocessing=True,
    )
    if with_weights:
        with tempfile.TemporaryDirectory() as folder:
            weights = Path(folder, "weights.safetensors")
            save_timm_weights(saved, weights)
            load_weights(model, weights, new_head=True)
    return model


def _sizes_of(saved: keras.Model, path: Path) -> tuple[str, dict[str, Any]]:
    shapes = {name: row.timm_shape for name, row in timm_parameters(saved).items()}
    found = traits(shapes)
    family = found.pop("family")
    if family not in _FAMILIES:
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
    found["num_heads"] = saved.get_layer("block_0_attention").num_heads
    return family, found
