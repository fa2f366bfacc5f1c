"""Pixels to a classifier's inputs, and its outputs to names, as keras.applications."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cait.models.classes.imagenet_classes import imagenet_classes, is_imagenet
from keras_cait.models.classes.names import check_class_names, class_names_of
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Tensor


def preprocess_input(
    x: Any,
    data_format: str | None = None,
    *,
    preprocessing: Preprocessing | keras.Model | None = None,
) -> Any:
    """Normalizes pixels in [0, 255] as in a model's training.

    `y = (x / 255 - mean) / std` for each channel, by default with ImageNet's mean and
    standard deviation. All models here take channels last. A model built with
    `include_preprocessing=True` does this itself.

    Args:
        x: Images in [0, 255], `(height, width, channels)` or with a batch in front; an
            array or a tensor of any type, which is not changed.
        data_format: "channels_last" or None; an argument of `keras.applications`.
        preprocessing: A `keras_cait.Preprocessing`, or a model, whose own is used;
            for a model that normalizes images itself pixels are not changed. Nothing
            is resized.

    Returns:
        The same shape, in Keras's float type: an array for an array, a tensor for a
        tensor.

    Raises:
        ValueError: If the last axis does not have as many channels as the mean.

    Example:
        >>> preprocess_input(np.full((1, 2, 2, 3), 255, "uint8")).max().round(2)
        np.float32(2.64)
        >>> half = Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3)
        >>> preprocess_input(np.full((2, 2, 3), 255), preprocessing=half).max()
        np.float32(1.0)

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 6, https://arxiv.org/abs/2012.12877

    """
    scale, offset = (np.array(values) for values in _scale_and_offset(preprocessing))
    channels = len(scale)
    if data_format not in (None, "channels_last") or x.shape[-1:] != (channels,):
        raise ValueError(
            f"Expected images of shape (..., height, width, {channels}), channels "
            f"last. Received: shape={tuple(x.shape)}, data_format={data_format!r}"
        )
    dtype = keras.config.floatx()
    if isinstance(x, np.ndarray):
        return (x * scale + offset).astype(dtype)
    scale, offset = (ops.convert_to_tensor(v, dtype) for v in (scale, offset))
    return ops.cast(x, dtype) * scale + offset


def _scale_and_offset(
    preprocessing: Preprocessing | keras.Model | None,
) -> tuple[Sequence[float], Sequence[float]]:
    """Factor and summand of each channel."""
    if preprocessing is None:
        preprocessing = Preprocessing()
    elif isinstance(preprocessing, keras.Model):
        if takes_pixels(preprocessing):
            channels = preprocessing.input_shape[-1]
            return [1.0] * channels, [0.0] * channels
        preprocessing = preprocessing_for(preprocessing)
    return preprocessing.scale, preprocessing.offset


def decode_predictions(
    preds: Tensor | np.ndarray,
    top: int = 5,
    *,
    model: keras.Model | None = None,
    class_names: Sequence[str] | None = None,
) -> list[list[tuple[str, str, float]]]:
    """Returns the best classes of each image, in the format of `keras.applications`.

    The 1000 classes of ILSVRC 2012 come with the package: nothing is downloaded.

    Args:
        preds: Probabilities or logits, `(batch, classes)`.
        top: Number of classes for each image, 1 to the number of classes.
        model: The model of the predictions, for its class names.
        class_names: Names of the classes, in order, in place of the model's. Without
            either, the 1000 classes are ImageNet's.

    Returns:
        A list for each image of (id, name, score), the best first. The id is the
        WordNet id of a class of ImageNet, and the name of any other.

    Raises:
        ValueError: If `preds` has another shape, its classes have no names, or `top`
            is out of range.

    Example:
        >>> decode_predictions(np.eye(1000)[[1]], top=1)
        [[('n01443537', 'goldfish', 1.0)]]
        >>> decode_predictions(np.array([[0.2, 0.8]]), 1, class_names=["cat", "dog"])
        [[('dog', 'dog', 0.8)]]

    Reference:
        Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge,
        https://arxiv.org/abs/1409.0575; names are the first of each WordNet synset

    """
    if class_names is None and model is not None:
        class_names = class_names_of(model)
    rows = 1000 if class_names is None else len(class_names)
    if len(preds.shape) != 2 or preds.shape[1] != rows:
        raise ValueError(
            f"Expected predictions of shape (batch, {rows}). Received: "
            f"shape={tuple(preds.shape)}. Other classes than ImageNet's are named by "
            "`class_names`, or by a `model` that stores their names."
        )
    if not 1 <= top <= rows:
        raise ValueError(f"`top` must be in [1, {rows}]. Received: top={top}")
    classes = _classes(check_class_names(class_names, rows))
    decoded = []
    for scores in ops.convert_to_numpy(preds):
        best = np.argsort(-scores, kind="stable")[:top]
        decoded.append([(*classes[index], float(scores[index])) for index in best])
    return decoded


def _classes(class_names: Sequence[str] | None) -> Sequence[tuple[str, str]]:
    """Id and name of each class."""
    if class_names is None or is_imagenet(class_names):
        return imagenet_classes()
    return [(name, name) for name in class_names]
