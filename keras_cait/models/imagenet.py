"""What goes into a model trained on ImageNet, and what its 1000 outputs mean."""

import functools
import importlib.resources
import json
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cait.models.inputs import IMAGENET_MEAN, IMAGENET_STD
from keras_cait.typing import Tensor


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Brings pixels in [0, 255] to what the published weights were trained on.

    `y = (x / 255 - mean) / std` for each channel, with ImageNet's mean and standard
    deviation. All models here take channels last. A model built with
    `include_preprocessing=True` does this itself.

    Args:
        x: Images in [0, 255], `(height, width, 3)` or with a batch in front; an
            array or a tensor of any type, which is not changed.
        data_format: "channels_last" or None; there for the sake of
            `keras.applications`.

    Returns:
        The same shape, in Keras's float type: an array for an array, a tensor for a
        tensor.

    Raises:
        ValueError: If the last axis is not of 3 channels.

    Example:
        >>> preprocess_input(np.full((1, 2, 2, 3), 255, "uint8")).max().round(2)
        np.float32(2.64)

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 6, https://arxiv.org/abs/2012.12877

    """
    if data_format not in (None, "channels_last") or x.shape[-1:] != (3,):
        raise ValueError(
            "Expected images of shape (..., height, width, 3), channels last. "
            f"Received: shape={tuple(x.shape)}, data_format={data_format!r}"
        )
    scale = 1 / (255 * np.array(IMAGENET_STD))
    offset = -np.array(IMAGENET_MEAN) / IMAGENET_STD
    dtype = keras.config.floatx()
    if isinstance(x, np.ndarray):
        return (x * scale + offset).astype(dtype)
    scale, offset = (ops.convert_to_tensor(v, dtype) for v in (scale, offset))
    return ops.cast(x, dtype) * scale + offset


def decode_predictions(
    preds: Tensor | np.ndarray, top: int = 5
) -> list[list[tuple[str, str, float]]]:
    """The best classes of each image, as `keras.applications` gives them.

    The 1000 classes of ILSVRC 2012 come with the package: nothing is downloaded.

    Args:
        preds: Probabilities or logits, `(batch, 1000)`.
        top: How many classes for each image, 1 to 1000.

    Returns:
        A list for each image of (WordNet id, name, score), the best first.

    Raises:
        ValueError: If `preds` has another shape, or `top` is out of range.

    Example:
        >>> decode_predictions(np.eye(1000)[[1]], top=1)
        [[('n01443537', 'goldfish', 1.0)]]

    Reference:
        Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge,
        https://arxiv.org/abs/1409.0575; names are the first of each WordNet synset

    """
    if len(preds.shape) != 2 or preds.shape[1] != 1000:
        raise ValueError(
            "Expected predictions of shape (batch, 1000). "
            f"Received: shape={tuple(preds.shape)}"
        )
    if not 1 <= top <= 1000:
        raise ValueError(f"`top` must be in [1, 1000]. Received: top={top}")
    classes = imagenet_classes()
    decoded = []
    for scores in ops.convert_to_numpy(preds):
        best = np.argsort(-scores, kind="stable")[:top]
        decoded.append([(*classes[index], float(scores[index])) for index in best])
    return decoded


@functools.cache
def imagenet_classes() -> tuple[tuple[str, str], ...]:
    """WordNet id and name of each of the 1000 classes, in their order."""
    file = importlib.resources.files("keras_cait.models") / "imagenet_classes.json"
    return tuple(
        (wordnet_id, name) for wordnet_id, name in json.loads(file.read_text())
    )
