"""Keras's own files, `.weights.h5` and `.keras`, opened for a model."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import h5py
import keras
import numpy as np

from keras_cait.weights.readers.hdf5_files import open_hdf5
from keras_cait.weights.readers.keras_archives import extract_weights
from keras_cait.weights.tensors.stored_tensors import ExpectedTensor, OpenCheckpoint

# An archive's weights may take so much more than the model's: for the state of an
# optimizer in double precision, and position embeddings of larger images.
_TIMES, _BYTES = 16, 2**28


@contextlib.contextmanager
def open_keras_checkpoint(model: keras.Model, path: Path) -> Iterator[OpenCheckpoint]:
    """Opens a file that Keras wrote for a model of the same layout.

    The file states its grid of patches in its position embedding or, in a `.keras`
    file, in its configuration; `.weights.h5` files of older versions do not.
    """
    with tempfile.TemporaryDirectory() as folder:
        # The file that this model writes itself has the tensors that are expected.
        own = Path(folder, "own.weights.h5")
        model.save_weights(own)
        with open_hdf5(own, own) as weights:
            expected = {
                name: ExpectedTensor(
                    tensor.shape, tensor.dtype, weights.grids.get(name)
                )
                for name, tensor in weights.tensors.items()
            }

        def assign(values: Mapping[str, np.ndarray]) -> None:
            with h5py.File(own, "r+") as file:
                for name, value in values.items():
                    file[name][...] = value
            model.load_weights(own)

        file, grid = path, None
        if path.suffix == ".keras":
            file = Path(folder, "found.weights.h5")
            largest = _TIMES * own.stat().st_size + _BYTES
            grid = extract_weights(path, file, largest=largest)
        with open_hdf5(file, path) as found:
            in_configuration = {} if grid is None else dict.fromkeys(expected, grid)
            yield OpenCheckpoint(
                expected=expected,
                found=found.tensors,
                grids=in_configuration | found.grids,
                is_square=False,
                assign=assign,
            )
