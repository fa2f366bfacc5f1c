"""Results of a recipe: the log, its curves, and a table of accuracies."""

import time
from typing import Any

import keras

from keras_cait.processors import peak_memory_mb
from keras_cait.training.run import Run
from keras_cait.visualization.curves import plot_curves

_ACCURACIES = {
    ("teacher", "val_accuracy"): "teacher",
    ("undistilled", "val_accuracy"): "undistilled student",
    ("student", "val_class_accuracy"): "class head",
    ("student", "val_distillation_accuracy"): "distillation head",
    ("student", "val_accuracy"): "mean of both heads",
    ("model", "val_accuracy"): "model",
    ("finetuned", "val_accuracy"): "fine-tuned",
    ("scratch", "val_accuracy"): "from scratch",
}
_LOSSES = {
    ("teacher", "class_loss"): "teacher",
    ("undistilled", "class_loss"): "undistilled student",
    ("student", "class_loss"): "student, on labels",
    ("student", "distillation_loss"): "student, on the teacher",
    ("model", "class_loss"): "model",
    ("finetuned", "class_loss"): "fine-tuned",
    ("finetuned", "distillation_loss"): "fine-tuned, on the teacher",
    ("scratch", "class_loss"): "from scratch",
}


def write_report(
    run: Run, model: keras.Model, speed: float, teacher_accuracy: float | None = None
) -> dict[str, Any]:
    """Writes history.csv and curves.png; returns the results that all recipes have.

    `model` is that which the run is for; `speed` is in training images per second, of
    the last model.
    """
    run.folder.write_table("history.csv", run.history)
    title = f"{run.data.name}, {run.image_shape[0]} pixels"
    figure = history_figure(run.history, title, teacher_accuracy)
    run.folder.write_figure("curves.png", figure)
    averaged = {f"{name}_ema_accuracy": found for name, found in run.averaged.items()}
    return {
        **averaged,
        "model": model.name,
        "parameters": model.count_params(),
        "image_shape": run.image_shape,
        "images_per_second": round(speed, 1),
        "seconds": round(time.perf_counter() - run.started, 1),
        "peak_memory_mb": round(peak_memory_mb()),
        "dataset": run.data.name,
        "seed": run.config.seed,
    }


def history_figure(
    history: list[dict[str, Any]], title: str, teacher_accuracy: float | None = None
) -> Any:
    """Draws test accuracy and training loss of all models over the epochs."""

    def curves(names: dict[tuple[str, str], str]) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for (model, key), name in names.items():
            rows = [row for row in history if row["model"] == model and key in row]
            if rows:
                found[name] = [row[key] for row in rows]
        return found

    accuracies = curves(_ACCURACIES)
    if teacher_accuracy is not None:  # a pretrained teacher has no epochs
        accuracies.setdefault("teacher", [teacher_accuracy])
    return plot_curves(accuracies, curves(_LOSSES), title=title)


def accuracy_table(results: dict[str, Any]) -> str:
    """Formats the accuracies in percent, one a line.

    Example:
        >>> accuracy_table({"teacher_accuracy": 0.5, "seed": 1})
        'teacher accuracy             50.00 %'

    """
    return "\n".join(
        f"{key.replace('_', ' '):28}{100 * value:6.2f} %"
        for key, value in results.items()
        if key.endswith(("accuracy", "agreement"))
    )
