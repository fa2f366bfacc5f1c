"""Accuracies of a run, among the results that its recipe returns."""

from collections.abc import Iterator, Mapping
from typing import Any

# Of the model that is published; the last one with --distillation none.
_OWN = ("student_accuracy", "finetuned_accuracy", "accuracy", "undistilled_accuracy")
_OTHERS = {
    "class_head_accuracy": "its class head alone",
    "distillation_head_accuracy": "its distillation head alone",
    "teacher_agreement": "images on which it predicts the class that its teacher does",
    "teacher_accuracy": "the teacher",
    "undistilled_accuracy": "the same architecture, trained without the teacher",
    "scratch_accuracy": "the same architecture, trained from random weights",
}


def own_accuracy(results: Mapping[str, Any]) -> float:
    """Top-1 accuracy of the model that is published, in [0, 1].

    Example:
        >>> own_accuracy({"teacher_accuracy": 0.9, "student_accuracy": 0.8})
        0.8

    """
    return next(results[name] for name in _OWN if name in results)


def accuracy_rows(results: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    """Accuracies in [0, 1], each with its description; first that of the model."""
    yield own_accuracy(results), "**this model**"
    if "undistilled_accuracy" not in results or "student_accuracy" in results:
        for name, text in _OTHERS.items():
            if name in results:
                yield results[name], text
    for name, accuracy in results.items():
        if name.endswith("_ema_accuracy"):
            file = name.removesuffix("_accuracy")
            yield accuracy, f"`{file}.keras`, which has averaged weights"
