"""How many classes weights know, before they are loaded."""

from pathlib import Path

from safetensors import SafetensorError, safe_open

from keras_cait.weights.readers.hub import download
from keras_cait.weights.readers.keras_archives import saved_layer_configs

_BIASES = ("head.bias", "head.fc.bias")  # a number for each class


def read_class_count(source: str) -> int | None:
    """The number of classes of weights' head, as far as their file tells it.

    Args:
        source: A file, or "hf://owner/repository".

    Returns:
        The number; None for files of torch and `.weights.h5`, for weights without a
        head, and where the file cannot be read: loading it says so.

    Raises:
        OSError: If the hub does not give the weights.

    """
    path = download(source) if source.startswith("hf://") else Path(source)
    if not path.is_file():
        return None
    if path.suffix == ".keras":
        heads = [kept for _, kept in saved_layer_configs(path, "Dense")]
        sizes = [kept.get("units") for kept in heads if kept.get("name") == "head"]
        return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], int) else None
    if path.suffix != ".safetensors":
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            for name in set(_BIASES).intersection(file.keys()):
                return file.get_slice(name).get_shape()[0]
    except (SafetensorError, OSError, TypeError, ValueError, MemoryError):
        return None
    return None
