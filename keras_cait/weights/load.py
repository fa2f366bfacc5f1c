"""Where weights come from: the one function that tells sources apart."""

from pathlib import Path
from typing import Any

import keras

from keras_cait.suggestion import did_you_mean
from keras_cait.weights.metadata.source_metadata import read_source_metadata
from keras_cait.weights.normalization_warning import warn_about_normalization
from keras_cait.weights.readers.hub import download
from keras_cait.weights.readers.keras_files import load_keras_weights
from keras_cait.weights.timm.checkpoints import load_timm_weights

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
    precision are converted to the type of the model's weights.

    Args:
        model: A model of this package.
        source: Path of a `.safetensors` or `.pth` file in timm's or the official
            layout (`.pth` takes torch), of a `.weights.h5` or `.keras` file that
            Keras wrote for the same model; or "hf://owner/repository" for the
            `model.safetensors` of a repository on the Hugging Face hub.
        new_head: Whether a head for another number of classes keeps its random
            start, with a warning, instead of being refused. A distillation token
            that the file lacks, and its head, then do too.
        antialias: Whether position embeddings that shrink for a smaller image are
            smoothed, as timm does it and the official code does not.
        grid_size: Rows and columns of patches of the file's position embedding, for a
            file that does not say them and is not of square images.

    Returns:
        The model.

    Warns:
        UserWarning: If the source says that its images are normalized with another
            mean and std than the model keeps, or does not say with which.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If the hub does not give the file.
        ImportError: If a file of torch is to be read without torch.
        ValueError: If the file is of another kind, damaged, or holds other
            tensors than the model, other than floating-point numbers, or NaN or
            infinity; every one that differs is named.

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
    said = read_source_metadata(source)
    load_tensors(
        model, source, new_head=new_head, antialias=antialias, grid_size=grid_size
    )
    warn_about_normalization(model, said, source)
    return model


def load_tensors(
    model: keras.Model,
    source: str | Path,
    *,
    new_head: bool = False,
    antialias: bool = False,
    grid_size: tuple[int, int] | None = None,
) -> None:
    """Loads weights as `load_weights`, for a caller who knows their preprocessing."""
    check_source(source)
    is_hub_s = str(source).startswith("hf://")
    path = download(str(source)) if is_hub_s else Path(source)
    options: dict[str, Any] = {
        "new_head": new_head,
        "antialias": antialias,
        "grid_size": grid_size,
    }
    if path.name.endswith(_KERAS):
        load_keras_weights(model, path, **options)
    else:
        load_timm_weights(model, path, **options)


def check_source(source: Any, *, others: str = "") -> None:
    """Raises an error unless weights can be loaded from a source of this form.

    Args:
        source: What was given: a path, or "hf://owner/repository".
        others: What else the caller takes, for the message.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is neither the name of a file of weights nor of a hub
            repository.

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
