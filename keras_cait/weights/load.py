"""Where weights come from: the one function that tells sources apart."""

from pathlib import Path

import keras

from keras_cait.weights.keras_files import load_keras_weights
from keras_cait.weights.timm_files import load_timm_weights


def load_weights(model: keras.Model, source: str | Path) -> keras.Model:
    """Loads weights into a model: all of them, or an error and none.

    Args:
        model: A model of this package.
        source: Path of a `.safetensors` file with timm's names, or of a
            `.weights.h5` or `.keras` file that Keras wrote for the same model.

    Returns:
        The model.

    Raises:
        FileNotFoundError: If there is no such file.
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
    path = Path(source)
    if path.name.endswith(".safetensors"):
        load = load_timm_weights
    elif path.name.endswith((".weights.h5", ".keras")):
        load = load_keras_weights
    else:
        raise ValueError(
            "Expected weights in a .safetensors, .weights.h5 or .keras file. "
            f"Received: {source}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"No weights file at {path}")
    load(model, path)
    return model
