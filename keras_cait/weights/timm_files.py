"""Safetensors files with timm's names: reading them into a model and writing them."""

from pathlib import Path

import keras
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from keras_cait.files import replace_when_written
from keras_cait.layers import PositionEmbedding
from keras_cait.weights.mismatch import check_tensors
from keras_cait.weights.position_embedding import resample_position_embedding
from keras_cait.weights.timm_names import timm_parameters


def load_timm_weights(model: keras.Model, path: Path) -> None:
    """Fills a model from a safetensors file; all of it or nothing.

    Position embeddings of a square image are resampled for the model's size.

    Raises:
        ValueError: If the file is not in the safetensors format, or a tensor is
            missing, left over or of another shape; then the model is unchanged.

    """
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(
            f"Expected a complete safetensors file. Received: {path}, {error}"
        ) from error
    parameters = timm_parameters(model)
    for layer in model.layers:
        if isinstance(layer, PositionEmbedding) and "pos_embed" in tensors:
            tensors["pos_embed"] = resample_position_embedding(
                tensors["pos_embed"], layer.grid_size, layer.num_prefix_tokens
            )
    expected = {name: entry.timm_shape for name, entry in parameters.items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    check_tensors(expected, found, source=path, model_name=model.name)
    for name, parameter in parameters.items():
        parameter.variable.assign(parameter.from_timm(tensors[name]))


def save_timm_weights(model: keras.Model, path: str | Path) -> None:
    """Writes a model's weights as a safetensors file that timm loads.

    Names and layouts are timm's. The file appears only when it is complete.

    Args:
        model: A DeiT or CaiT of this package.
        path: Where to write; should end in ".safetensors".

    Raises:
        ValueError: If the model has weights that timm does not know.

    Example:
        >>> import keras_cait, pathlib, tempfile
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1, num_heads=2
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "model.safetensors")
        ...     save_timm_weights(model, path)
        ...     _ = keras_cait.load_weights(model, path)

    """
    tensors: dict[str, np.ndarray] = {
        name: parameter.to_timm() for name, parameter in timm_parameters(model).items()
    }
    with replace_when_written(Path(path)) as temporary:
        save_file(tensors, temporary)
