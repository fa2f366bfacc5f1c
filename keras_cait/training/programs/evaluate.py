"""Evaluation: accuracy of a model on images, by class, and speed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cait.command_line.exit_code import exit_code_of
from keras_cait.command_line.flags import flag_names, make_settings
from keras_cait.data.batches import evaluation_batches
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.models.classes.names import class_names_of
from keras_cait.models.published.preprocessing import (
    preprocessing_or_default,
)
from keras_cait.training.evaluation import Predictions, named_outputs, predict
from keras_cait.training.input_pipeline import images_to_test
from keras_cait.training.programs.evaluated_model import (
    evaluated_model,
    normalization_of,
    outputs_of,
    overrides_of,
)
from keras_cait.training.settings.evaluation_settings import EvaluationSettings
from keras_cait.training.settings.serialization import to_json


def evaluate(settings: EvaluationSettings) -> dict[str, Any]:
    """Evaluates the model, prints the settings and returns the results."""
    class_names, images = images_to_test(settings, settings.limit)
    model = evaluated_model(settings, class_names)
    names, classes = class_names_of(model), model.output_shape[-1]
    outputs = outputs_of(settings, class_names, names, classes)
    preprocessing = replace(preprocessing_or_default(model), **overrides_of(settings))
    used = vars(settings) | {"preprocessing": preprocessing}
    print(to_json(used), flush=True)  # noqa: T201
    channels = len(preprocessing.mean)
    transform = EvaluationTransform.from_preprocessing(
        preprocessing, channels=channels if channels in (1, 3) else None
    )
    batches = evaluation_batches(images, transform, settings.batch_size)
    scale, offset = normalization_of(settings, model, preprocessing)
    order = np.array(outputs)
    batches = batches.map(lambda x, y: (x * scale + offset, tf.gather(order, y)))
    with name_unreadable_images(images):
        found = predict(named_outputs(model), batches)
    if settings.per_class:
        print(_table(found, class_names, outputs))  # noqa: T201
    results: dict[str, Any] = {}
    for name in found.top_classes:
        prefix = "" if name == "output" else name.replace(" ", "_") + "_"
        results[f"{prefix}top1"] = round(100 * found.accuracy(name), 3)
        results[f"{prefix}top5"] = round(100 * found.accuracy(name, top=5), 3)
    return results | {
        "images": len(found.labels),
        "images_per_second": round(found.images_per_second, 1),
    }


def _table(
    found: Predictions, class_names: Sequence[str], outputs: Sequence[int]
) -> str:
    classes = max(outputs) + 1
    rates = found.accuracy_by_class("output", classes)[outputs]
    counts = np.bincount(found.labels, minlength=classes)[outputs]
    width = max(len(name) for name in class_names)
    rows = [
        f"{name:{width}} {100 * rate:6.2f} % of {count}"
        for name, rate, count in zip(class_names, rates, counts, strict=True)
    ]
    return "\n".join(rows)


def run_evaluation(given: Mapping[str, Any]) -> int:
    """Evaluates the model of a command line; returns the exit code."""
    return exit_code_of(
        lambda: json.dumps(evaluate(make_settings(EvaluationSettings, given))),
        flags=flag_names(EvaluationSettings),
    )
