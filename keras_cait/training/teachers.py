"""The teacher that a recipe is asked for: a file, or an architecture to train."""

import difflib
import inspect
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cait.models.convnet import small_convnet
from keras_cait.typing import Shape, Tensor

_SMALLEST = 32  # pixels; most of keras.applications take nothing smaller


def load_teacher(path: str, image_shape: Shape, classes: int) -> keras.Model:
    """Loads a trained classifier of images in [0, 255].

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no Keras model, or one for other classes.

    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"No teacher at {path}")
    teacher = keras.saving.load_model(path, compile=False)
    if teacher.output_shape[-1] != classes:
        raise ValueError(
            f"The teacher must know the {classes} classes of the data. Received: "
            f"{path} with {teacher.output_shape[-1]} classes."
        )
    if teacher.input_shape[-1] != image_shape[-1]:
        raise ValueError(
            f"The teacher must take images of {image_shape[-1]} channel(s). "
            f"Received: {path}, which takes {teacher.input_shape[-1]}."
        )
    return teacher


def build_teacher(
    name: str, image_shape: Shape, classes: int, *, weights: str | None, **sizes: Any
) -> keras.Model:
    """An untrained head on a convnet, for images in [0, 255].

    Args:
        name: "convnet", or a name of keras.applications such as "ResNet50".
        image_shape: Height, width and channels of the student's images.
        classes: Number of classes.
        weights: "imagenet" or None, for keras.applications.
        **sizes: `widths` and `blocks` of `small_convnet`.

    Raises:
        ValueError: If there is no such architecture, or its weights cannot be
            had.

    """
    if name == "convnet":
        return small_convnet(input_shape=image_shape, classes=classes, **sizes)
    builders = {
        key: value
        for key, value in vars(keras.applications).items()
        if inspect.isfunction(value)
    }
    if name not in builders:
        near = difflib.get_close_matches(name, ["convnet", *builders], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(
            '`teacher` must be "convnet", a .keras file or a name of '
            f"keras.applications. Received: teacher={name!r}.{hint}"
        )
    inputs = keras.Input(image_shape)
    x = _as_colour_of_size(inputs, image_shape)
    x = _preprocessed(builders[name], x)
    try:
        backbone = builders[name](
            include_top=False, weights=weights, input_shape=x.shape[1:], pooling="avg"
        )
    except Exception as error:  # get_file raises a bare Exception
        raise ValueError(
            f"Could not build the teacher {name} with weights={weights!r}: {error}. "
            "Weights are downloaded; without a network pass --teacher-weights none."
        ) from error
    outputs = keras.layers.Dense(classes, name="head")(backbone(x))
    return keras.Model(inputs, outputs, name=name.lower())


def _as_colour_of_size(images: Tensor, image_shape: Shape) -> Tensor:
    height, width, channels = image_shape
    if min(height or 0, width or 0) < _SMALLEST:
        images = keras.layers.Resizing(_SMALLEST, _SMALLEST)(images)
    if channels == 1:
        images = keras.layers.Concatenate()([images] * 3)
    return images


def _preprocessed(builder: Any, images: Tensor) -> Tensor:
    """What the architecture's own `preprocess_input` does, as layers that save.

    All of them scale and shift each channel, and some swap red and blue; both
    are read off the function itself.
    """
    module = inspect.getmodule(builder)
    preprocess = getattr(module, "preprocess_input", None)
    if preprocess is None:
        return images

    def probe(pixel: tuple[float, float, float]) -> np.ndarray:
        image = np.array(pixel, "float32").reshape((1, 1, 1, 3))
        return np.asarray(preprocess(image, data_format="channels_last")).reshape(3)

    offset = probe((0, 0, 0))
    scale = (probe((255, 255, 255)) - offset) / 255
    if np.argmax(np.abs(probe((255, 0, 0)) - offset)) == 2:
        images = ops.flip(images, axis=-1)
    return keras.layers.Rescaling(scale.tolist(), offset.tolist())(images)


def teacher_preprocessing(
    teacher: keras.Model, image_shape: Shape
) -> keras.layers.Layer | None:
    """What makes the student's images fit the teacher: a resize, or nothing."""
    size = teacher.input_shape[1:3]
    if None in size or size == tuple(image_shape[:2]):
        return None
    return keras.layers.Resizing(*size, name="for_the_teacher")


def teacher_accuracy(
    teacher: keras.Model, batches: Any, preprocessing: Any = None
) -> float:
    """Part of the test images that a teacher gets right, in [0, 1]."""
    right = [
        np.argmax(
            teacher.predict_on_batch(preprocessing(x) if preprocessing else x), -1
        )
        == np.asarray(y)
        for x, y in batches
    ]
    return float(np.mean(np.concatenate(right)))
