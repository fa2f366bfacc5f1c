"""Predictions of a model on a set of images, and their accuracy."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cait.models.logits import head_logits
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """The likeliest classes of each image, by output of the model."""

    labels: np.ndarray  # the true classes, (images,)
    top_classes: dict[str, np.ndarray]  # (images, k), the likeliest first
    images_per_second: float  # of the model alone, without its first batch

    def accuracy(self, output: str, top: int = 1) -> float:
        """Part of the images whose class is among the `top` likeliest, in [0, 1]."""
        found = self.top_classes[output][:, :top] == self.labels[:, None]
        return float(found.any(axis=1).mean())

    def accuracy_by_class(self, output: str, classes: int) -> np.ndarray:
        """Top-1 accuracy of each class, `(classes,)`; NaN for one without images."""
        right = self.top_classes[output][:, 0] == self.labels
        counts = np.bincount(self.labels, minlength=classes)
        with np.errstate(invalid="ignore"):
            return np.bincount(self.labels, right, minlength=classes) / counts


def predict(
    outputs: Callable[[Tensor], dict[str, Tensor]],
    batches: Iterable[tuple[Any, Any]],
    *,
    top: int = 5,
) -> Predictions:
    """The `top` likeliest classes of every image, and the model's speed.

    `outputs` maps images to scores by name, each `(batch, classes)`, as
    `named_outputs(model)` does. `batches` holds pairs of images and labels.
    """
    labels: list[np.ndarray] = []
    top_classes: dict[str, list[np.ndarray]] = {}
    seconds, counted = 0.0, 0
    for images, truth in batches:
        started = time.perf_counter()
        for name, scores in outputs(images).items():
            number = min(top, scores.shape[-1])
            classes = ops.top_k(ops.convert_to_tensor(scores), number)[1]
            top_classes.setdefault(name, []).append(ops.convert_to_numpy(classes))
        if labels:  # the first batch compiles
            seconds += time.perf_counter() - started
            counted += len(truth)
        labels.append(np.asarray(truth))
    return Predictions(
        labels=np.concatenate(labels),
        top_classes={name: np.concatenate(x) for name, x in top_classes.items()},
        images_per_second=counted / seconds if counted else 0.0,
    )


def named_outputs(
    model: keras.Model, prepare: Callable[[Tensor], Tensor] | None = None
) -> Callable[[Tensor], dict[str, Tensor]]:
    """A function for `predict`: the model's output, and its heads if it has two.

    `prepare` preprocesses the images first.
    """
    heads = head_logits(model)
    outputs = {"output": model.outputs[0]}
    if "distillation" in heads:
        outputs |= {f"{name} head": logits for name, logits in heads.items()}
    predict_batch = keras.Model(model.inputs[0], outputs).predict_on_batch
    if prepare is None:
        return predict_batch
    return lambda images: predict_batch(prepare(images))
