"""Number of classes of a checkpoint, read before it is loaded."""

from keras_cait.weights.readers.keras_archives import saved_layer_configs
from keras_cait.weights.readers.safetensors_files import open_safetensors
from keras_cait.weights.readers.source_paths import local_path

HEAD_BIASES = ("head.bias", "head.fc.bias")  # a number for each class


def read_class_count(source: str) -> int | None:
    """Number of classes of the head of a checkpoint, a file or a hub repository.

    None for files of torch and `.weights.h5`, for weights without a head, and for a
    file that cannot be read: loading it raises an error.
    """
    path = local_path(source)
    if not path.is_file():
        return None
    if path.suffix == ".keras":
        heads = [config for _, config in saved_layer_configs(path, "Dense")]
        sizes = [
            config.get("units") for config in heads if config.get("name") == "head"
        ]
        return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], int) else None
    if path.suffix != ".safetensors":
        return None
    try:
        with open_safetensors(path) as (tensors, _):
            biases = [tensors[name] for name in HEAD_BIASES if name in tensors]
    except ValueError:
        return None
    return biases[0].shape[0] if biases else None
