"""What models answer to a set of images, and how often they are right."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_cait.models.outputs import head_logits
from keras_cait.typing import Tensor


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The likeliest classes that each output of a model gave for each image.

    Attributes:
        labels: The true classes, `(images,)`.
        best: By output: `(images, k)` classes, the likeliest first.
        images_per_second: Of the model alone, without its first batch.
    """

    labels: np.ndarray
    best: dict[str, np.ndarray]
    images_per_second: float

    def accuracy(self, output: str, top: int = 1) -> float:
        """Part of the images whose class is among the `top` likeliest, in [0, 1]."""
        found = self.best[output][:, :top] == self.labels[:, None]
        return float(found.any(axis=1).mean())

    def accuracy_by_class(self, output: str, classes: int) -> np.ndarray:
        """Top-1 accuracy of each class, `(classes,)`; NaN for one without images."""
        right = self.best[output][:, 0] == self.labels
        counts = np.bincount(self.labels, minlength=classes)
        with np.errstate(invalid="ignore"):
            return np.bincount(self.labels, right, minlength=classes) / counts


def answers(
    outputs: Callable[[Tensor], dict[str, Tensor]],
    batches: Iterable[tuple[Any, Any]],
    *,
    top: int = 5,
) -> Answers:
    """Asks a model about every image.

    Args:
        outputs: Images to scores by name, `(batch, classes)`: a `keras.Model` that
            gives a dictionary, such as `every_output` makes.
        batches: Pairs of images and labels.
        top: How many of the likeliest classes to keep.

    Example:
        >>> labels = np.array([1, 2])
        >>> found = answers(lambda x: {"output": x}, [(np.eye(3)[[1, 1]], labels)])
        >>> found.accuracy("output"), found.accuracy("output", top=3)
        (0.5, 1.0)

    """
    labels: list[np.ndarray] = []
    best: dict[str, list[np.ndarray]] = {}
    seconds, counted = 0.0, 0
    for images, truth in batches:
        started = time.perf_counter()
        for name, scores in outputs(images).items():
            kept = min(top, scores.shape[-1])
            classes = ops.top_k(ops.convert_to_tensor(scores), kept)[1]
            best.setdefault(name, []).append(ops.convert_to_numpy(classes))
        if labels:  # the first batch compiles
            seconds += time.perf_counter() - started
            counted += len(truth)
        labels.append(np.asarray(truth))
    return Answers(
        labels=np.concatenate(labels),
        best={name: np.concatenate(parts) for name, parts in best.items()},
        images_per_second=counted / seconds if counted else 0.0,
    )


def every_output(
    model: keras.Model, prepare: Callable[[Tensor], Tensor] | None = None
) -> Callable[[Tensor], dict[str, Tensor]]:
    """A model's own output, "output", and those of its heads where it has two.

    Args:
        model: A functional classifier.
        prepare: What happens to images before they reach it, if anything.

    Returns:
        A function of a batch of images, for `answers`.

    """
    heads = head_logits(model)
    outputs = {"output": model.outputs[0]}
    if "distillation" in heads:
        outputs |= {f"{name} head": logits for name, logits in heads.items()}
    predict = keras.Model(model.inputs[0], outputs).predict_on_batch
    if prepare is None:
        return predict
    return lambda images: predict(prepare(images))
