"""Loading of weights from any source: a file of a known format, or the hub."""

import warnings
from pathlib import Path
from typing import Any

import keras

from keras_cait.suggestion import did_you_mean
from keras_cait.weights.metadata.source_metadata import read_source_metadata
from keras_cait.weights.normalization_warning import warn_about_normalization
from keras_cait.weights.readers.keras_files import open_keras_checkpoint
from keras_cait.weights.readers.source_paths import local_path
from keras_cait.weights.tensors.matching import matching_values
from keras_cait.weights.timm.checkpoints import open_timm_checkpoint

_KERAS = (".weights.h5", ".keras")
_TORCH = (".pth", ".pt", ".bin")


def load_weights(
    model: keras.Model,
    source: str | Path,
    *,
    new_head: bool = False,
    antialias: bool = False,
    grid_size: tuple[int, int] | None = None,
) -> keras.Model:
    """Loads weights into a model: all of them, or an error and none.

    Position embeddings are resampled to the model's grid of patches. Half and double
    precision are converted to the type of the model's weights. Nothing in a file is
    built or run.

    Args:
        model: A model of this package.
        source: Path of a `.safetensors` or `.pth` file in timm's or the official
            layout (`.pth` requires torch), of a `.weights.h5` or `.keras` file that
            Keras wrote for the same model; or "hf://owner/repository" for the
            `model.safetensors` of a repository on the Hugging Face hub.
        new_head: Whether a head for another number of classes keeps its random
            values, with a warning, instead of an error. The same holds for a
            distillation token that the file lacks, and its head.
        antialias: Whether position embeddings that shrink for a smaller image are
            smoothed, as in timm and not in the official code.
        grid_size: Rows and columns of patches of the file's position embedding, for a
            file that does not state them and is not of square images.

    Returns:
        The model.

    Warns:
        UserWarning: If the source states another mean and std of its images than the
            model has, or states none.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If the file cannot be downloaded.
        ImportError: If torch is required and not installed.
        ValueError: If the file is of another format, damaged, or holds other
            tensors than the model, other than floating-point numbers, or NaN or
            infinity; every one that differs is named. The model is unchanged.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1, num_heads=2
        ... )
        >>> load_weights(model, "nowhere.safetensors")
        Traceback (most recent call last):
            ...
        FileNotFoundError: No weights file at nowhere.safetensors

    """
    check_source(source)
    metadata = read_source_metadata(source)
    load_tensors(
        model, source, new_head=new_head, antialias=antialias, grid_size=grid_size
    )
    warn_about_normalization(model, metadata, source)
    return model


def load_tensors(
    model: keras.Model,
    source: str | Path,
    *,
    new_head: bool = False,
    antialias: bool = False,
    grid_size: tuple[int, int] | None = None,
) -> None:
    """Loads weights as `load_weights`, without its warning about mean and std."""
    check_source(source)
    path = local_path(source)
    is_keras = path.name.endswith(_KERAS)
    open_checkpoint = open_keras_checkpoint if is_keras else open_timm_checkpoint
    with open_checkpoint(model, path) as checkpoint:
        values, warning = matching_values(
            checkpoint,
            new_head=new_head,
            antialias=antialias,
            grid_size=grid_size,
            source=str(path),
            model_name=model.name,
        )
        checkpoint.assign(values)
    if warning:
        warnings.warn(warning, stacklevel=2)


def check_source(source: Any, *, others: str = "") -> None:
    """Raises an error unless a source is a file of weights or "hf://owner/repository".

    `others` names other values that the caller accepts, for the message.
    """
    name = str(source)
    is_name = isinstance(source, (str, Path))
    if is_name and name.startswith("hf://"):
        return
    if not is_name or not name.endswith((*_KERAS, ".safetensors", *_TORCH)):
        hint = did_you_mean(name, ["imagenet"]) if name != "imagenet" else ""
        raise ValueError(
            "Expected weights in a .safetensors, .pth, .weights.h5 or .keras file, "
            f"or hf://owner/repository{others}. Received: "
            f"weights={name if is_name else source!r}.{hint}"
        )
    if not Path(name).is_file():
        raise FileNotFoundError(f"No weights file at {name}")
