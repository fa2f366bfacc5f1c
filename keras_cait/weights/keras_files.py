"""Keras's own files, `.weights.h5` and `.keras`: loaded whole or not at all."""

import tempfile
import warnings
import zipfile
from pathlib import Path

import h5py
import keras

from keras_cait.typing import Shape
from keras_cait.weights.heads import left_behind
from keras_cait.weights.mismatch import check_tensors

_WEIGHTS_IN_ARCHIVE = "model.weights.h5"


def load_keras_weights(
    model: keras.Model, path: Path, *, new_head: bool = False
) -> None:
    """Fills a model from a file that Keras wrote for a model of the same layout.

    A `.keras` file is only searched for its weights: nothing in it is built or
    run.

    Args:
        model: A model of this package.
        path: The file.
        new_head: Whether the model's head may be for other classes; see `heads`.

    Raises:
        ValueError: If the file is not what its name says, or a tensor is
            missing, left over or of another shape; then the model is unchanged.

    """
    with tempfile.TemporaryDirectory() as folder:
        weights = path
        if path.suffix == ".keras":
            weights = _extract(path, Path(folder, "found.weights.h5"))
        # What this model itself would write is what the file has to hold.
        own = Path(folder, "expected.weights.h5")
        model.save_weights(own)
        expected, found = _shapes(own, own), _shapes(weights, path)
        apart, warning = left_behind(expected, found, new_head=new_head, source=path)
        check_tensors(
            expected, found, besides=apart, source=path, model_name=model.name
        )
        with warnings.catch_warnings():
            # The state of the optimizer, if there is any, may be another one's.
            warnings.filterwarnings("ignore", "Skipping variable loading for optim")
            if warning:  # which says it in our words
                warnings.filterwarnings(
                    "ignore", "A total of|Layer .* skipped|Skipping"
                )
            model.load_weights(weights, skip_mismatch=bool(warning))
    if warning:
        warnings.warn(warning, stacklevel=2)


def _extract(path: Path, target: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            target.write_bytes(archive.read(_WEIGHTS_IN_ARCHIVE))
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(
            f"Expected a complete .keras file. Received: {path}, {error}"
        ) from error
    return target


def _shapes(path: Path, source: Path) -> dict[str, Shape]:
    """The shape of every tensor by its place, less what only training needs."""
    shapes: dict[str, Shape] = {}

    def note(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("optimizer/"):
            shapes[name] = item.shape

    try:
        with h5py.File(path, "r") as file:
            file.visititems(note)
    except (OSError, RuntimeError, KeyError, TypeError) as error:  # as h5py has it
        raise ValueError(
            f"Expected a complete HDF5 file of weights. Received: {source}, {error}"
        ) from error
    return shapes
