"""Models from `.keras` files, with a one-line error for any damage."""

import re
from pathlib import Path

import keras
import numpy as np

from keras_cait.errors import first_line
from keras_cait.weights.readers.keras_archives import check_archive

_ADVICE = (
    "Register a layer class of your own (keras.saving.register_keras_serializable) in "
    "a Python program that calls the recipe's main, or save a model without it."
)


def load_saved_model(
    path: str | Path, *, kind: str = "model", advice: str = _ADVICE
) -> keras.Model:
    """Loads a model from a `.keras` file, without its training configuration.

    Error messages call the model `kind`; `advice` ends the error about a layer of an
    unknown class. Raises `FileNotFoundError`; or `ValueError` if the file is damaged,
    holds something else, unpacks to far more than its size, has a layer of an unknown
    class, or weights that are not finite.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No {kind} at {path}")
    check_archive(path)
    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:  # Keras raises many, and each backend its own
        raise ValueError(
            f"The {kind} {path} cannot be loaded: {_reason(error, advice)}"
        ) from error
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"The {kind} must be a keras.Model. Received: {path}, which holds a "
            f"{type(model).__name__}."
        )
    _check_finite(model, kind, path)
    return model


def load_classifier(path: str | Path, *, kind: str = "model") -> keras.Model:
    """As `load_saved_model`, for a functional classifier with one output."""
    model = load_saved_model(path, kind=kind)
    check_classifier(model, path, kind=kind)
    return model


def check_classifier(
    model: keras.Model, path: str | Path, *, kind: str = "model"
) -> None:
    """Raises `ValueError` unless the model of a file is a functional classifier."""
    shapes = [tuple(x.shape) for x in getattr(model, "outputs", None) or ()]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        raise ValueError(
            f"The {kind} must be a functional classifier with one output, (batch, "
            f"classes). Received: {path}, which has {shapes or 'no graph'}."
        )


def _reason(error: Exception, advice: str) -> str:
    """What was the matter, in a sentence, without the configurations Keras prints."""
    text = str(error)
    unknown = re.search(r"Could not locate (class|function) '([^']*)'", text)
    if unknown is not None:
        what, name = unknown.groups()
        return (
            "expected layers that Keras, keras_cait or keras-cv defines. Received: the "
            f"{what} '{name}'. {advice}"
        )
    text = text.rpartition("Exception encountered: ")[2].strip()
    first = text and first_line(text).partition(". ")[0].rstrip(".")
    return f"it is damaged, or no model of Keras. {type(error).__name__}: {first}"


def _check_finite(model: keras.Model, kind: str, path: Path) -> None:
    bad = [
        weight.path
        for weight in model.weights
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all()
    ]
    if bad:
        raise ValueError(
            f"The weights of the {kind} must be finite. Received: {path}, with NaN or "
            f"infinity in {len(bad)} of {len(model.weights)}: {', '.join(bad[:3])}. "
            "Take a file that was saved before the training diverged."
        )
