"""Distils a DeiT from a convnet, and shows whether the teacher helped.

    python recipes/distill_deit.py

trains a small convnet, then the same DeiT twice with the same budget and seed:
without the teacher and with it. Without arguments the images are scikit-learn's
handwritten digits, which need no download.

    python recipes/distill_deit.py --data-dir DIR         your own images
    python recipes/distill_deit.py --dataset cifar10      any TFDS name
    python recipes/distill_deit.py --teacher out/teacher.keras

Paper: DeiT (https://arxiv.org/abs/2012.12877), section 4 and table 3.
Durations, expected and measured results: the README's table of recipes.

In the output folder: student.keras and teacher.keras (both take images in
[0, 255]), history.csv, curves.png and config.json. The last line of the standard
output is a JSON object with the results.
"""

import contextlib
import dataclasses
import importlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

with contextlib.suppress(ImportError):  # there when this file is run as it is
    importlib.import_module("quiet")

import keras
from keras_cait.recipes.presets import preset_for
from keras_cait.recipes.report import curve_of, figure_of, peak_memory_mb, table_of

from keras_cait import DeiT, Distiller, SoftDistillation
from keras_cait.data.batches import evaluation_batches, training_batches
from keras_cait.data.datasets import load_dataset
from keras_cait.training.configuration import parse_command_line, setting, to_json
from keras_cait.training.optimizers import AdamW, warmup_cosine
from keras_cait.training.progress import Progress
from keras_cait.training.run_folder import RunFolder
from keras_cait.training.strategy import make_strategy, scope_of
from keras_cait.training.students import student_size
from keras_cait.training.teachers import (
    build_teacher,
    load_teacher,
    teacher_accuracy,
    teacher_preprocessing,
)

FILES = ("student.keras", "teacher.keras", "history.csv", "curves.png", "config.json")


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a run is made of. None is decided by the size of the images."""

    dataset: str | None = setting(None, '"digits", "cifar10" or any TFDS name')
    data_dir: Path | None = setting(None, "folder of train/CLASS/* and val or test")
    image_size: int | None = setting(None, "side in pixels that images are brought to")
    limit: int | None = setting(None, "at most so many training and test images")
    student: str | None = setting(None, "DeiT_Ti, ..., or embed_dim=64,depth=4,...")
    teacher: str = setting("convnet", "a .keras file or a name of keras.applications")
    teacher_weights: Literal["imagenet", "none"] = setting(
        "imagenet", "where a teacher of keras.applications starts from"
    )
    teacher_epochs: int | None = setting(None, "passes that train the teacher")
    distillation: Literal["hard", "soft", "none"] | None = setting(None, "kind of loss")
    alpha: float | None = setting(None, "weight of the distillation loss, 0 to 1")
    temperature: float = setting(3.0, "of soft distillation, above 0")
    epochs: int | None = setting(None, "passes that train each student")
    batch_size: int | None = setting(None, "images a step, over all devices")
    learning_rate: float | None = setting(None, "highest rate of the student, a step")
    teacher_learning_rate: float | None = setting(None, "the same of the teacher")
    seed: int = setting(0, "of weights, order and augmentation")
    mixed_precision: Literal["none", "float16", "bfloat16"] = setting(
        "none", "what the student computes in"
    )
    strategy: str = setting("auto", "auto, single, mirrored or mirrored:N")
    jit: bool | None = setting(None, "compile with XLA; by default on a GPU only")
    output: Path = setting(Path("distilled"), "folder for the results")
    overwrite: bool = setting(False, "replace the run that is in the folder")

    def __post_init__(self) -> None:
        if self.alpha is not None and not 0 <= self.alpha <= 1:
            raise ValueError(f"--alpha must be in [0, 1]. Received: {self.alpha}")
        if not self.temperature > 0:
            raise ValueError(f"--temperature must be above 0, not {self.temperature}")
        for name in ("epochs", "teacher_epochs", "batch_size", "limit", "image_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                flag = "--" + name.replace("_", "-")
                raise ValueError(f"{flag} must be 1 or more. Received: {value}")


class Run:
    """One run: its data, its settings with nothing left open, and its log."""

    def __init__(self, config: Config) -> None:
        self.started = time.perf_counter()
        self.strategy = make_strategy(config.strategy)
        self.folder = RunFolder(config.output, FILES, overwrite=config.overwrite)
        self.data = load_dataset(
            config.dataset,
            data_dir=config.data_dir,
            image_size=config.image_size,
            limit=config.limit,
        )
        self.classes = len(self.data.class_names)
        # Every preset value can be set on the command line, by the same name.
        preset = preset_for(min(self.data.image_shape[:2]))
        if config.distillation not in (None, preset.distillation):
            preset = dataclasses.replace(preset, alpha=0.5)  # its own is for its kind
        given = {name: getattr(config, name, None) for name in vars(preset)}
        given = {name: value for name, value in given.items() if value is not None}
        self.preset = dataclasses.replace(preset, **given)
        self.config = dataclasses.replace(
            config, dataset=self.data.name, image_size=self.data.image_shape[0]
        )
        self.history: list[dict[str, Any]] = []

    def make_teacher(self) -> tuple[keras.Model, bool]:
        """The teacher, and whether it is trained already."""
        name, shape = self.config.teacher, self.data.image_shape
        keras.utils.set_random_seed(self.config.seed)
        with scope_of(self.strategy):
            if name.endswith(".keras"):
                return load_teacher(name, shape, self.classes), True
            weights = None if self.config.teacher_weights == "none" else "imagenet"
            teacher = build_teacher(
                name,
                shape,
                self.classes,
                weights=weights,
                widths=self.preset.teacher_widths,
                blocks=self.preset.teacher_blocks,
            )
        return teacher, False

    def make_student(self, *, distilled: bool) -> keras.Model:
        """The student, each time from the same seed."""
        precision = self.config.mixed_precision
        policy = "float32" if precision == "none" else f"mixed_{precision}"
        before = keras.config.dtype_policy()
        keras.utils.set_random_seed(self.config.seed)
        keras.config.set_dtype_policy(policy)
        try:
            with scope_of(self.strategy):
                return DeiT(
                    **student_size(self.preset.student),
                    input_shape=self.data.image_shape,
                    classes=self.classes,
                    distilled=distilled,
                    include_preprocessing=True,
                    name="student",
                )
        finally:
            keras.config.set_dtype_policy(before)

    def fit(
        self,
        name: str,
        model: keras.Model,
        teacher: keras.Model | None,
        *,
        epochs: int,
        learning_rate: float,
    ) -> float:
        """Trains on labels, and on a teacher; returns its images a second."""
        config, preset = self.config, self.preset
        train = training_batches(
            self.data, preset.batch_size, preset.augmentation, config.seed
        )
        test = evaluation_batches(self.data, preset.batch_size)
        steps = int(train.cardinality())
        loss: Any = preset.distillation if teacher is not None else "none"
        if loss == "soft":
            loss = SoftDistillation(temperature=config.temperature)
        keras.utils.set_random_seed(config.seed)
        with scope_of(self.strategy):
            resize = teacher and teacher_preprocessing(teacher, self.data.image_shape)
            distiller = Distiller(model, teacher, loss, preset.alpha, resize)
            optimizer = AdamW(warmup_cosine(learning_rate, steps * epochs))
            jit = "auto" if config.jit is None else config.jit
            distiller.compile(optimizer, jit_compile=jit)
        progress = Progress(name, steps * min(preset.batch_size, self.data.num_train))
        logs = distiller.fit(
            train,
            validation_data=test,
            epochs=epochs,
            callbacks=[progress],
            shuffle=False,  # the batches are
            verbose=0,
        ).history
        for epoch in range(epochs):
            row = {key: values[epoch] for key, values in logs.items()}
            self.history.append({"model": name, "epoch": epoch + 1, **row})
        return progress.images_per_second

    def last(self, model: str, key: str) -> float:
        """A number of the last epoch."""
        return curve_of(self.history, model, key)[-1]

    def accuracy_of(self, teacher: keras.Model) -> float:
        """Of a teacher that was loaded; refused where it has learned nothing."""
        test = evaluation_batches(self.data, self.preset.batch_size)
        resize = teacher_preprocessing(teacher, self.data.image_shape)
        accuracy = teacher_accuracy(teacher, test, resize)
        if accuracy < 1.5 / self.classes:
            raise ValueError(
                f"The teacher must know the classes of {self.data.name} and take "
                f"images in [0, 255]. Received: {self.config.teacher}, which is right "
                f"on {100 * accuracy:.1f} % of the test images, no better than chance."
            )
        return accuracy


def distil(config: Config) -> dict[str, Any]:
    """Trains what has to be trained, writes the files and returns the results."""
    run = Run(config)
    # Whatever can be wrong shows here, before anything is trained or replaced.
    teacher, trained = run.make_teacher()
    results: dict[str, Any] = {}
    if trained:
        results["teacher_accuracy"] = run.accuracy_of(teacher)
    students = {"undistilled": run.make_student(distilled=False)}
    if run.preset.distillation != "none":
        students["student"] = run.make_student(distilled=True)
    settings = to_json(vars(run.config) | vars(run.preset))
    print(settings, flush=True)
    run.folder.clear()
    run.folder.write_text("config.json", settings)

    if not trained:
        epochs, rate = run.preset.teacher_epochs, run.preset.teacher_learning_rate
        run.fit("teacher", teacher, None, epochs=epochs, learning_rate=rate)
        results["teacher_accuracy"] = run.last("teacher", "val_accuracy")
    run.folder.write_model("teacher.keras", teacher)
    epochs, rate = run.preset.epochs, run.preset.learning_rate
    speed = 0.0
    for name, student in students.items():
        taught_by = teacher if name == "student" else None
        speed = run.fit(name, student, taught_by, epochs=epochs, learning_rate=rate)
        results[f"{name}_accuracy"] = run.last(name, "val_accuracy")
        run.folder.write_model("student.keras", student)
    if "student" in students:
        results["class_head_accuracy"] = run.last("student", "val_class_accuracy")
        head = run.last("student", "val_distillation_accuracy")
        results["distillation_head_accuracy"] = head
        results["teacher_agreement"] = run.last("student", "val_teacher_agreement")
    run.folder.write_table("history.csv", run.history)
    title = f"{run.config.dataset}, {run.preset.student}"
    figure = figure_of(run.history, results["teacher_accuracy"], title)
    run.folder.write_figure("curves.png", figure)
    return results | {
        "images_per_second": round(speed, 1),
        "seconds": round(time.perf_counter() - run.started, 1),
        "peak_memory_mb": round(peak_memory_mb()),
        "dataset": run.config.dataset,
        "seed": run.config.seed,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    config = parse_command_line(Config, arguments, description=__doc__ or "")
    try:
        results = distil(config)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"\n{table_of(results)}\n\nResults in {config.output}")
    print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
