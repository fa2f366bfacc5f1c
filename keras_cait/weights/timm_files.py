"""Checkpoints with timm's names: reading them into a model and writing them."""

import re
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from keras_cait.files import replace_when_written
from keras_cait.layers import PositionEmbedding
from keras_cait.weights.heads import left_behind
from keras_cait.weights.layouts import to_timm_layout
from keras_cait.weights.mismatch import check_tensors
from keras_cait.weights.parameters import BatchCount
from keras_cait.weights.position_embedding import resample_position_embedding
from keras_cait.weights.timm_names import timm_parameters
from keras_cait.weights.torch_files import read_torch_file

_GRID = "grid_size"  # rows x columns of patches, which a square file need not say


def load_timm_weights(
    model: keras.Model, path: Path, *, new_head: bool = False, antialias: bool = False
) -> None:
    """Fills a model from a file in timm's or the official layout; all or nothing.

    Position embeddings are resampled for the model's size. A file that does not say
    otherwise, as those that `save_timm_weights` writes do, is one of square images.

    Args:
        model: A model of this package.
        path: A `.safetensors` file, or one of torch.
        new_head: Whether the model's head may be for other classes; see `heads`.
        antialias: Which form of resampling; see `resample_grid`.

    Raises:
        ValueError: If the file is damaged or of another kind, or a tensor is
            missing, left over or of another shape; then the model is unchanged.

    """
    content, source_grid = _read(path)
    tensors = to_timm_layout(content)
    parameters = timm_parameters(model)
    for layer in model.layers:
        if isinstance(layer, PositionEmbedding) and "pos_embed" in tensors:
            tensors["pos_embed"] = resample_position_embedding(
                tensors["pos_embed"],
                layer.grid_size,
                layer.num_prefix_tokens,
                source_grid=source_grid,
                antialias=antialias,
            )
    expected = {name: entry.timm_shape for name, entry in parameters.items()}
    found = {name: np.shape(tensor) for name, tensor in tensors.items()}
    apart, warning = left_behind(expected, found, new_head=new_head, source=path)
    counts = {name for name in expected if isinstance(parameters[name], BatchCount)}
    apart |= counts - found.keys()  # nothing would be read from them
    check_tensors(expected, found, besides=apart, source=path, model_name=model.name)
    for name in parameters.keys() - apart:
        parameters[name].assign(tensors[name])
    if warning:
        warnings.warn(warning, stacklevel=2)


def _read(path: Path) -> tuple[dict[str, Any], tuple[int, int] | None]:
    """What the file holds, and the grid of patches if it says which."""
    if path.suffix != ".safetensors":
        return read_torch_file(path), None
    try:
        with safe_open(path, framework="numpy") as file:
            grid = (file.metadata() or {}).get(_GRID, "")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"Expected a complete safetensors file. Received: {path}, {error}"
        ) from error
    found = re.fullmatch(r"(\d+)x(\d+)", grid)
    return tensors, (int(found[1]), int(found[2])) if found else None


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
    metadata = {"format": "pt"}
    for layer in model.layers:
        if isinstance(layer, PositionEmbedding):
            metadata[_GRID] = "{}x{}".format(*layer.grid_size)
    with replace_when_written(Path(path)) as temporary:
        save_file(tensors, temporary, metadata=metadata)
