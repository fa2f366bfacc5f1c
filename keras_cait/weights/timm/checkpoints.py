"""Checkpoints with timm's names: opened for a model, and written from one."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import save_file

from keras_cait.files import replace_when_written
from keras_cait.layers import PositionEmbedding
from keras_cait.optional_packages import import_optional
from keras_cait.typing import Shape
from keras_cait.weights.metadata.source_metadata import safetensors_metadata
from keras_cait.weights.readers.safetensors_files import open_safetensors
from keras_cait.weights.readers.torch_files import read_torch_file
from keras_cait.weights.tensors.stored_tensors import (
    ExpectedTensor,
    GridSize,
    OpenCheckpoint,
    StoredTensor,
)
from keras_cait.weights.timm.layouts import to_official_layout, to_timm_layout
from keras_cait.weights.timm.names import timm_parameters

_POSITIONS = "pos_embed"
_GRID = "grid_size"  # key of the metadata with "rows x columns" of patches


@contextlib.contextmanager
def open_timm_checkpoint(model: keras.Model, path: Path) -> Iterator[OpenCheckpoint]:
    """Opens a safetensors or torch file in timm's or the official layout for a model.

    A file without `grid_size` in its metadata is taken to be of square images.
    """
    parameters = timm_parameters(model)
    grids = _grids_of(model)

    def assign(values: Mapping[str, np.ndarray]) -> None:
        for name, value in values.items():
            parameter: Any = parameters[name]
            parameter.variable.assign(parameter.from_timm(value))

    with _open_file(path) as (content, file_grids):
        yield OpenCheckpoint(
            expected={
                name: ExpectedTensor(entry.timm_shape, entry.dtype, grids.get(name))
                for name, entry in parameters.items()
            },
            found=_in_timm_layout(content, path),
            grids=file_grids,
            is_square=True,
            assign=assign,
        )


def stored_shapes(path: Path) -> tuple[dict[str, Shape], GridSize | None]:
    """Shapes of a file's tensors by timm's names, and the grid of patches it states."""
    with _open_file(path) as (content, grids):
        found = _in_timm_layout(content, path)
        return {name: item.shape for name, item in found.items()}, grids.get(_POSITIONS)


def _grids_of(model: keras.Model) -> dict[str, GridSize]:
    found = (layer for layer in model.layers if isinstance(layer, PositionEmbedding))
    layer = next(found, None)
    return {} if layer is None else {_POSITIONS: layer.grid_size}


@contextlib.contextmanager
def _open_file(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, GridSize]]]:
    """Content of a file, and the grid of patches that its metadata state."""
    if path.suffix != ".safetensors":
        yield read_torch_file(path), {}
        return
    with open_safetensors(path) as (tensors, metadata):
        stated = re.fullmatch(r"(\d{1,9})x(\d{1,9})", metadata.get(_GRID, ""))
        grids = {_POSITIONS: (int(stated[1]), int(stated[2]))} if stated else {}
        yield tensors, grids


def _in_timm_layout(content: Mapping[str, Any], path: Path) -> dict[str, StoredTensor]:
    try:
        found = to_timm_layout(content)
    except ValueError as error:
        raise ValueError(
            "Expected one tensor of each name. "
            f"Received: {path}, in which {error}. Leave one of them out."
        ) from error
    return {key: item for key, item in found.items() if isinstance(item, StoredTensor)}


def save_timm_weights(model: keras.Model, path: str | Path) -> None:
    """Writes a model's weights as a safetensors file that timm loads.

    Names and layouts are timm's. The model's preprocessing and class names become
    metadata of the file, which `load_weights` and the builders read. The file appears
    only when it is complete.

    Args:
        model: A DeiT or CaiT of this package.
        path: The file to write; should end in ".safetensors".

    Raises:
        ValueError: If the model has weights that have no name in timm.

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
    tensors = _timm_tensors(model)
    metadata = {"format": "pt", **safetensors_metadata(model)}
    for rows, columns in _grids_of(model).values():
        metadata[_GRID] = f"{rows}x{columns}"
    with replace_when_written(Path(path)) as temporary:
        save_file(tensors, temporary, metadata=metadata)


def save_official_weights(model: keras.Model, path: Path) -> None:
    """Writes a model's weights as a file of torch that the official code loads.

    It needs torch, and has neither preprocessing nor class names. Raises `ValueError`
    if the model has weights that have no name in timm.
    """
    torch = import_optional("torch", "torch", purpose=f"to write {path}")
    tensors = {
        name: torch.from_numpy(value.copy())
        for name, value in _timm_tensors(model).items()
    }
    with replace_when_written(path) as temporary:
        torch.save(to_official_layout(tensors), temporary)


def _timm_tensors(model: keras.Model) -> dict[str, np.ndarray]:
    """Values of a model's weights by timm's names, in its layouts."""
    return {name: entry.to_timm() for name, entry in timm_parameters(model).items()}
