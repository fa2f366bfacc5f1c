"""Checkpoints with timm's names: reading them into a model and writing them."""

import contextlib
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import save_file

from keras_cait.files import replace_when_written
from keras_cait.layers import PositionEmbedding
from keras_cait.weights.metadata.source_metadata import safetensors_metadata
from keras_cait.weights.readers.safetensors_files import open_safetensors
from keras_cait.weights.readers.torch_files import read_torch_file
from keras_cait.weights.tensors.head_mismatch import skipped_head_tensors
from keras_cait.weights.tensors.position_embedding import (
    GridSize,
    fit_position_embedding,
)
from keras_cait.weights.tensors.stored_tensors import StoredTensor, checked_values
from keras_cait.weights.tensors.tensor_check import check_tensors
from keras_cait.weights.timm.layouts import to_timm_layout
from keras_cait.weights.timm.names import timm_parameters
from keras_cait.weights.timm.parameters import BatchCount, Parameter

_GRID = "grid_size"  # rows x columns of patches, which a square file need not say


def load_timm_weights(
    model: keras.Model,
    path: Path,
    *,
    new_head: bool = False,
    antialias: bool = False,
    grid_size: GridSize | None = None,
) -> None:
    """Fills a model from a file in timm's or the official layout; all or nothing.

    Everything is read and checked before the model changes. Position embeddings are
    resampled for the model's size. A file that does not say otherwise, as those that
    `save_timm_weights` writes do, is one of square images.

    Args:
        model: A model of this package.
        path: A `.safetensors` file, or one of torch.
        new_head: Whether the model's head may be for other classes; see `heads`.
        antialias: Which form of resampling; see `resample_grid`.
        grid_size: Rows and columns of patches of a file that does not say them.

    Raises:
        ValueError: If the file is damaged or of another kind, a tensor is missing,
            left over, of another shape, or holds other than finite floating-point
            numbers, or the grid is unknown; then the model is unchanged.

    """
    parameters = timm_parameters(model)
    expected = {name: entry.timm_shape for name, entry in parameters.items()}
    with _read(path) as (content, source_grid):
        tensors = _in_timm_layout(content, path)
        for layer in model.layers:
            if isinstance(layer, PositionEmbedding) and "pos_embed" in tensors:
                tensors["pos_embed"] = fit_position_embedding(
                    tensors["pos_embed"],
                    expected["pos_embed"],
                    layer.grid_size,
                    source_grid=source_grid or grid_size,
                    square=True,
                    antialias=antialias,
                    source=path,
                )
        found = {name: tensor.shape for name, tensor in tensors.items()}
        apart, warning = skipped_head_tensors(
            expected, found, new_head=new_head, source=path
        )
        counts = {name for name in expected if isinstance(parameters[name], BatchCount)}
        check_tensors(
            expected,
            found,
            besides=apart | (counts - found.keys()),
            source=path,
            model_name=model.name,
        )
        # Of the counts nothing is kept.
        dtypes = {
            name: parameter.variable.dtype
            for name, parameter in parameters.items()
            if isinstance(parameter, Parameter) and name not in apart
        }
        values = checked_values(
            {name: tensors[name] for name in dtypes},
            dtypes,
            source=path,
            model_name=model.name,
        )
    for name, value in values.items():
        parameters[name].assign(value)
    if warning:
        warnings.warn(warning, stacklevel=2)


def _in_timm_layout(content: Mapping[str, Any], path: Path) -> dict[str, StoredTensor]:
    """The tensors of a file by timm's names."""
    try:
        found = to_timm_layout(content)
    except ValueError as error:
        raise ValueError(
            "Expected one tensor of each name. "
            f"Received: {path}, in which {error}. Leave one of them out."
        ) from error
    return {key: item for key, item in found.items() if isinstance(item, StoredTensor)}


@contextlib.contextmanager
def _read(path: Path) -> Iterator[tuple[dict[str, Any], GridSize | None]]:
    """What the file holds, and the grid of patches if it says which."""
    if path.suffix != ".safetensors":
        yield read_torch_file(path), None
        return
    with open_safetensors(path) as (tensors, metadata):
        found = re.fullmatch(r"(\d{1,9})x(\d{1,9})", metadata.get(_GRID, ""))
        yield tensors, (int(found[1]), int(found[2])) if found else None


def save_timm_weights(model: keras.Model, path: str | Path) -> None:
    """Writes a model's weights as a safetensors file that timm loads.

    Names and layouts are timm's. How images are prepared and the names of the classes
    are metadata in it, which `load_weights` and the builders read. The file appears
    only when it is complete.

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
    metadata = {"format": "pt", **safetensors_metadata(model)}
    for layer in model.layers:
        if isinstance(layer, PositionEmbedding):
            metadata[_GRID] = "{}x{}".format(*layer.grid_size)
    with replace_when_written(Path(path)) as temporary:
        save_file(tensors, temporary, metadata=metadata)
