"""Model of an evaluation, with its weights, preprocessing and order of classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_cait.models.classes.imagenet_classes import imagenet_names
from keras_cait.models.classes.order import outputs_of_classes
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.models.published.rebuilding import rebuild
from keras_cait.models.published.registry import find_variant, model_with_weights
from keras_cait.models.published.saved_models import load_classifier
from keras_cait.preprocessing import Preprocessing
from keras_cait.training.settings.evaluation_settings import EvaluationSettings
from keras_cait.weights.load import check_source
from keras_cait.weights.metadata.class_count import read_class_count
from keras_cait.weights.metadata.model_metadata import all_layers


def evaluated_model(
    settings: EvaluationSettings, class_names: Sequence[str]
) -> keras.Model:
    """The model with its weights, all of which must fit.

    Weights of an unknown number of classes must have the data's.

    Raises:
        ValueError: If the model does not exist, or the weights do not fit it.
        FileNotFoundError: If the file does not exist.

    """
    classes = len(class_names)
    size: dict[str, Any] = {}
    if settings.image_size is not None:
        size["input_shape"] = (settings.image_size, settings.image_size, 3)
    if settings.model is None:
        return _load_file(settings)
    find_variant(settings.model)  # the first error is that of an unknown name
    if settings.weights == "imagenet":
        classes = 1000
        try:  # before a download
            outputs_of(settings, class_names, imagenet_names(), classes)
        except ValueError as error:
            raise ValueError(
                "The published weights know ImageNet's 1000 classes. Received: images "
                f"of {len(class_names)} classes. {error} Name other weights with "
                "--weights."
            ) from error
    else:
        check_source(settings.weights)
        classes = read_class_count(settings.weights) or classes
    return model_with_weights(
        settings.model,
        settings.weights,
        preprocessing_overrides=overrides_of(settings),
        classes=classes,
        **size,
    )


def _load_file(settings: EvaluationSettings) -> keras.Model:
    """The model of a `.keras` file, at the size of `--image-size`."""
    path = Path(settings.weights)
    model = load_classifier(path)
    if settings.image_size is None:
        return model
    size = (settings.image_size, settings.image_size)
    if model.input_shape[1:3] in (size, (None, None)):
        return model
    classes = model.output_shape[-1]
    shape = (*size, model.input_shape[-1])
    try:
        return rebuild(path, input_shape=shape, classes=classes)
    except ValueError as error:
        raise ValueError(
            f"--image-size is for transformers of this package. Received: {path}, for "
            f"images {model.input_shape[1:3]}, and --image-size {settings.image_size}. "
            f"Leave it out. {error}"
        ) from error


def overrides_of(settings: EvaluationSettings) -> dict[str, Any]:
    """Fields of `Preprocessing` that flags set."""
    names = ("crop_pct", "interpolation", "mean", "std")
    given = {name: getattr(settings, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def outputs_of(
    settings: EvaluationSettings,
    class_names: Sequence[str],
    model_names: Sequence[str] | None,
    classes: int,
) -> list[int]:
    """The output of the model for each class of the images."""
    names = model_names if settings.match == "name" else None
    try:
        return outputs_of_classes(class_names, names, classes)
    except ValueError as error:
        if names is None:
            raise
        advice = "Rename the folders"
        if classes == len(class_names):
            advice += ", or take them in their order: --match index"
        raise ValueError(f"{error} {advice}.") from error


def normalization_of(
    settings: EvaluationSettings, model: keras.Model, preprocessing: Preprocessing
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset from pixels in [0, 255] to the inputs of the model.

    For a model with its own normalization they undo the difference to the flags'.
    """
    scale, offset = np.array(preprocessing.scale), np.array(preprocessing.offset)
    if takes_pixels(model):
        if settings.mean is None and settings.std is None:
            scale, offset = np.ones_like(scale), np.zeros_like(offset)
        elif (own := _own_statistics(settings, model)) is not None:
            scale = 255 * np.array(own.std) * scale
            offset = 255 * (np.array(own.std) * offset + np.array(own.mean))
    return scale.astype("float32"), offset.astype("float32")


def _own_statistics(
    settings: EvaluationSettings, model: keras.Model
) -> Preprocessing | None:
    """Mean and std of a model's own normalization; None if it has none."""
    try:
        return preprocessing_for(model)
    except ValueError as error:
        kinds = (keras.layers.Rescaling, keras.layers.Normalization)
        names = [row.name for row in all_layers(model) if isinstance(row, kinds)]
        if names:
            raise ValueError(
                "--mean and --std are for models whose own are known. Received: "
                f"{settings.weights}, which normalizes images itself, in {names}. "
                "Leave them out."
            ) from error
        return None
