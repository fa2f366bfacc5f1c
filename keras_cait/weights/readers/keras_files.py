"""Keras's own files, `.weights.h5` and `.keras`: loaded whole or not at all."""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import h5py
import keras
import numpy as np

from keras_cait.weights.readers.hdf5_files import HDF5Weights, open_weights
from keras_cait.weights.readers.keras_archives import extract_weights
from keras_cait.weights.tensors.head_mismatch import skipped_head_tensors
from keras_cait.weights.tensors.position_embedding import (
    GridSize,
    fit_position_embedding,
)
from keras_cait.weights.tensors.stored_tensors import StoredTensor, checked_values
from keras_cait.weights.tensors.tensor_check import check_tensors

# The weights of an archive may take so much more than the model's: the state of an
# optimizer in double precision, and position embeddings of larger images.
_TIMES, _BYTES = 16, 2**28


def load_keras_weights(
    model: keras.Model,
    path: Path,
    *,
    new_head: bool = False,
    antialias: bool = False,
    grid_size: GridSize | None = None,
) -> None:
    """Fills a model from a file that Keras wrote for a model of the same layout.

    Everything is read and checked before the model changes. Position embeddings are
    resampled for the model's grid of patches. A file says of which grid it is, in its
    position embedding or, in a `.keras` file, in its configuration; one that does
    not, as older versions wrote `.weights.h5`, must be of a square grid.

    A `.keras` file is only searched for its weights and its grid: nothing in it is
    built or run.

    Args:
        model: A model of this package.
        path: The file.
        new_head: Whether the model's head may be for other classes; see `heads`.
        antialias: Which form of resampling; see `resample_grid`.
        grid_size: Rows and columns of patches of a file that does not say them.

    Raises:
        ValueError: If the file is not what its name says, a tensor is missing, left
            over, of another shape, or holds other than finite floating-point
            numbers, or the grid is unknown; then the model is unchanged.

    """
    with tempfile.TemporaryDirectory() as folder:
        # What this model itself would write is what the file has to hold.
        own = Path(folder, "own.weights.h5")
        model.save_weights(own)
        weights = path
        if path.suffix == ".keras":
            weights = Path(folder, "found.weights.h5")
            largest = _TIMES * own.stat().st_size + _BYTES
            grid_size = extract_weights(path, weights, largest=largest) or grid_size
        with open_weights(own, own) as expected, open_weights(weights, path) as found:
            shapes = _shapes(expected.tensors)
            tensors = _fitted(found, expected, path, antialias, grid_size)
            apart, warning = skipped_head_tensors(
                shapes, _shapes(tensors), new_head=new_head, source=path
            )
            check_tensors(
                shapes,
                _shapes(tensors),
                besides=apart,
                source=path,
                model_name=model.name,
            )
            values = checked_values(
                {name: tensors[name] for name in shapes.keys() - apart},
                {name: tensor.kind for name, tensor in expected.tensors.items()},
                source=path,
                model_name=model.name,
            )
        _write(own, values)
        model.load_weights(own)
    if warning:
        warnings.warn(warning, stacklevel=2)


def _shapes(tensors: Mapping[str, StoredTensor]) -> dict[str, tuple[int | None, ...]]:
    return {name: tensor.shape for name, tensor in tensors.items()}


def _fitted(
    found: HDF5Weights,
    expected: HDF5Weights,
    source: Path,
    antialias: bool,
    grid_size: GridSize | None,
) -> dict[str, StoredTensor]:
    """The tensors of a file, with position embeddings for the model's grids."""
    tensors = dict(found.tensors)
    for name in expected.grids.keys() & tensors.keys():
        tensors[name] = fit_position_embedding(
            tensors[name],
            expected.tensors[name].shape,
            expected.grids[name],
            source_grid=found.grids.get(name, grid_size),
            square=False,
            antialias=antialias,
            source=source,
        )
    return tensors


def _write(path: Path, values: Mapping[str, np.ndarray]) -> None:
    """Puts the values in the places that they have in the model's own file."""
    with h5py.File(path, "r+") as file:
        for name, value in values.items():
            file[name][...] = value
