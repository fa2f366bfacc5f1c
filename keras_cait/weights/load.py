"""Where weights come from: the one function that tells sources apart."""

from pathlib import Path

import keras

from keras_cait.weights.hub import download
from keras_cait.weights.keras_files import load_keras_weights
from keras_cait.weights.timm_files import load_timm_weights

_TORCH = (".pth", ".pt", ".bin")


def load_weights(
    model: keras.Model,
    source: str | Path,
    *,
    new_head: bool = False,
    antialias: bool = False,
) -> keras.Model:
    """Loads weights into a model: all of them, or an error and none.

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

    Returns:
        The model.

    Raises:
        FileNotFoundError: If there is no such file.
        OSError: If the hub does not give the file.
        ImportError: If a file of torch is to be read without torch.
        ValueError: If the file is of another kind, damaged, or holds other
            tensors than the model; every one that differs is named.

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
    is_hub_s = str(source).startswith("hf://")
    path = download(str(source)) if is_hub_s else Path(source)
    is_keras_s = path.name.endswith((".weights.h5", ".keras"))
    if not is_keras_s and path.suffix not in (".safetensors", *_TORCH):
        raise ValueError(
            "Expected weights in a .safetensors, .pth, .weights.h5 or .keras file, or "
            f"hf://owner/repository. Received: {source}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"No weights file at {path}")
    if is_keras_s:
        load_keras_weights(model, path, new_head=new_head)
    else:
        load_timm_weights(model, path, new_head=new_head, antialias=antialias)
    return model
