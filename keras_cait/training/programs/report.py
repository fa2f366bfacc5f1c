"""What a recipe shows at its end: curves, a table and what the run took."""

import time
from typing import Any

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


def finish(
    run: Run, speed: float, teacher_accuracy: float | None = None
) -> dict[str, Any]:
    """Writes the log and its curves; returns what every run reports.

    Args:
        run: The run.
        speed: Training images a second of its last model.
        teacher_accuracy: Of a teacher on the test images, where there is one.

    """
    run.folder.write_table("history.csv", run.history)
    title = f"{run.data.name}, {run.image_shape[0]} pixels"
    figure = figure_of(run.history, title, teacher_accuracy)
    run.folder.write_figure("curves.png", figure)
    averaged = {f"{name}_ema_accuracy": found for name, found in run.averaged.items()}
    return {
        **averaged,
        "images_per_second": round(speed, 1),
        "seconds": round(time.perf_counter() - run.started, 1),
        "peak_memory_mb": round(peak_memory_mb()),
        "dataset": run.data.name,
        "seed": run.config.seed,
    }


def curve_of(history: list[dict[str, Any]], model: str, key: str) -> list[float]:
    """One column of a log for one model, as far as it is there.

    Example:
        >>> curve_of([{"model": "teacher", "loss": 0.5}], "teacher", "loss")
        [0.5]

    """
    return [row[key] for row in history if row["model"] == model and key in row]


def figure_of(
    history: list[dict[str, Any]], title: str, teacher_accuracy: float | None = None
) -> Any:
    """Test accuracy and training loss of all models over the epochs."""
    accuracies, losses = (
        {
            name: curve
            for key, name in names.items()
            if (curve := curve_of(history, *key))
        }
        for names in (_ACCURACIES, _LOSSES)
    )
    if teacher_accuracy is not None:  # one that came trained is a level to reach
        accuracies.setdefault("teacher", [teacher_accuracy])
    return plot_curves(accuracies, losses, title=title)


def table_of(results: dict[str, Any]) -> str:
    """The accuracies for a person to read.

    Example:
        >>> table_of({"teacher_accuracy": 0.5, "seed": 1})
        'teacher accuracy             50.00 %'

    """
    return "\n".join(
        f"{key.replace('_', ' '):28}{100 * value:6.2f} %"
        for key, value in results.items()
        if key.endswith(("accuracy", "agreement"))
    )
