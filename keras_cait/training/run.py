"""One training run: its data, its devices, its folder and its log."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import keras

from keras_cait.data.batches import (
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from keras_cait.data.datasets import ImageDataset, fingerprint_of
from keras_cait.distillation import Distiller, SoftDistillation
from keras_cait.models.preprocessing import own_preprocessing
from keras_cait.training.checkpoints import Checkpoints
from keras_cait.training.class_losses import class_loss
from keras_cait.training.configuration import setting, to_json
from keras_cait.training.ema import ema_weights
from keras_cait.training.keeping import Keeping, train
from keras_cait.training.optimizer_settings import optimizer_of
from keras_cait.training.progress import Progress
from keras_cait.training.run_folder import RunFolder
from keras_cait.training.settings import OF_IMAGES, TrainingSettings
from keras_cait.training.strategy import make_strategy, scope_of, shard_of
from keras_cait.training.teacher_cache import cached_teacher_logits
from keras_cait.training.teachers import Teacher

Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class RunConfig(TrainingSettings):
    """What every training recipe is told besides how to train."""

    preset: str | None = setting(None, "named settings to start from")
    smoke: bool = setting(False, "try everything out, in two minutes, on digits")
    dataset: str | None = setting(None, '"digits", "cifar10" or any TFDS name')
    data_dir: Path | None = setting(None, "folder of train/CLASS/* and val or test")
    image_size: int | None = setting(None, "side in pixels that images are brought to")
    limit: int | None = setting(None, "at most so many training and test images")
    seed: int = setting(0, "of weights, order and augmentation")
    mixed_precision: Literal["none", "float16", "bfloat16"] = setting(
        "none", "what models compute in"
    )
    strategy: str = setting("auto", "auto, single, mirrored or mirrored:N")
    jit: bool | None = setting(None, "compile with XLA; by default on a GPU only")
    teacher_logits: Path | None = setting(
        None, "file that keeps what a teacher says, for the next students of one seed"
    )
    output: Path = setting(Path("run"), "folder for the results")
    overwrite: bool = setting(False, "replace the run that is in the folder")
    resume: bool = setting(False, "go on with the run in the folder, if there is one")
    checkpoint_steps: int = setting(
        500, "steps between checkpoints, besides the end of each epoch"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("limit", "image_size", "checkpoint_steps"):
            value = getattr(self, name)
            self._check(name, value is None or value >= 1, "1 or more")
        if self.resume and self.overwrite:
            raise ValueError(
                "A run is either gone on with or replaced. Received: --resume and "
                "--overwrite"
            )


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a teacher gives a student.

    Attributes:
        teacher: Who teaches, from `make_teacher`, trained.
        distillation: "hard" or "soft".
        alpha: Weight of the distillation loss, in [0, 1].
        temperature: Of soft distillation.
    """

    teacher: Teacher
    distillation: str
    alpha: float
    temperature: float = 3.0


class Run:
    """One run: everything a recipe shares with the others.

    Args:
        config: What the run is told.
        data: The images.
        files: Names of the files that it leaves in its folder.

    Attributes:
        image_shape: Height and width in pixels, and channels, of the models' images.
        history: The log: a row a model and epoch.
        averaged: Test accuracy of each model with the average of its weights.

    """

    def __init__(
        self, config: RunConfig, data: ImageDataset, files: tuple[str, ...]
    ) -> None:
        self.started = time.perf_counter()
        self.config, self.data = config, data
        self.classes = len(data.class_names)
        size = config.image_size or data.image_shape[0]
        # Some views are of colours, so grey images become colour where they are.
        channels = data.image_shape[-1] if config.augment == "none" else 3
        self.image_shape: tuple[int, int, int] = (size, size, channels)
        self.strategy = make_strategy(config.strategy)
        shard = shard_of(self.strategy)
        if shard.count > 1:
            raise ValueError(
                "A recipe trains on one machine as yet. Received: TF_CONFIG with "
                f"{shard.count} workers. Remove it, or train with Distiller, "
                "training_batches(..., shard=...) and distribute."
            )
        shard.check(min(config.batch_size, data.train.number), paired=False)
        self.folder = RunFolder(
            config.output, files, overwrite=config.overwrite, resume=config.resume
        )
        self._trainings = 0
        self.history: list[dict[str, Any]] = []
        self.averaged: dict[str, float] = {}

    def make(
        self,
        build: Callable[[], Made],
        *,
        seed: int | None = None,
        precision: str | None = None,
    ) -> Made:
        """A model made on the run's devices, in its precision and from its seed."""
        precision = precision or self.config.mixed_precision
        before = keras.config.dtype_policy()
        keras.utils.set_random_seed(self.config.seed if seed is None else seed)
        if precision != "none":
            keras.config.set_dtype_policy(f"mixed_{precision}")
        try:
            with scope_of(self.strategy):
                return build()
        finally:
            keras.config.set_dtype_policy(before)

    def start(self, **resolved: Any) -> None:
        """Says what the run follows, in full, and makes its folder ready for it.

        Raises:
            ValueError: If the run that is there is another one, and is to go on.
            OSError: If nothing can be written there, or another run does.

        """
        found = {"dataset": self.data.name, "image_size": self.image_shape[0]}
        found["images"] = fingerprint_of(self.data)
        settings = to_json(vars(self.config) | found | resolved)
        print(settings, flush=True)  # noqa: T201
        self.folder.start(settings)

    def test_batches(self, model: keras.Model) -> Any:
        """The test images as a model is measured on them."""
        own = own_preprocessing(model)
        view = self.config.evaluation_view(self.image_shape, own)
        return evaluation_batches(self.data.test, view, self.config.batch_size)

    def fit(
        self,
        name: str,
        model: keras.Model,
        lesson: Lesson | None = None,
        **changed: Any,
    ) -> float:
        """Trains a model on labels, and on a teacher; returns its images a second.

        Args:
            name: What to call it in the log.
            model: The model, from `make`.
            lesson: Its teacher, if it has one.
            **changed: Settings that differ from the run's for this model.

        """
        settings = dataclasses.replace(self.config, **changed)
        batch_size = min(settings.batch_size, self.data.train.number)
        steps = steps_per_epoch(self.data.train.number, batch_size, settings.repeats)

        def batches(first_step: int) -> Any:
            found: Any = training_batches(
                self.data.train,
                settings.views(self.image_shape),
                batch_size,
                epochs=settings.epochs,
                seed=settings.seed,
                repeats=settings.repeats,
                mixing=settings.mixing(),
                classes=self.classes,
                first_step=first_step,
            )
            if lesson is None or settings.teacher_logits is None:
                return found
            return cached_teacher_logits(
                found,
                lesson.teacher,
                settings.teacher_logits,
                key=self._key(settings),
                first_step=first_step,
            )

        keras.utils.set_random_seed(settings.seed)
        with scope_of(self.strategy):
            distiller = _distiller(model, lesson)
            distiller.compile(
                optimizer_of(settings, steps),
                class_loss(settings.loss),
                jit_compile="auto" if settings.jit is None else settings.jit,
            )
            distiller.optimizer.build(distiller.trainable_variables)
        self._trainings += 1
        folder = self.folder.path / "checkpoints" / f"{self._trainings:02d}-{name}"
        keeping = Keeping(
            distiller,
            Checkpoints(folder),
            steps_per_epoch=steps,
            every=settings.checkpoint_steps,
            name=name,
        )
        if settings.resume:
            keeping.resume()
        speed = keeping.about.get("images_per_second", 0.0)
        if not keeping.is_done:
            keeping.check_room()
            progress = Progress(
                name, batch_size, steps, settings.epochs, done=keeping.step
            )
            train(
                distiller,
                keeping,
                batches,
                epochs=settings.epochs,
                test_batches=self.test_batches(model),
                callbacks=[progress, *self._tensorboard(name)],
            )
            progress.close()
            speed = progress.images_per_second
            average = None if settings.ema is None else self._average(name, distiller)
            keeping.finish({"images_per_second": speed, "averaged": average})
        self.history += keeping.rows
        if keeping.about["averaged"] is not None:
            self.averaged[name] = keeping.about["averaged"]
        return speed

    def _average(self, name: str, distiller: Distiller) -> float:
        """Writes the model with the average of its weights; returns its accuracy."""
        with ema_weights(distiller.optimizer):
            student = distiller.student
            batches = self.test_batches(student)
            found = distiller.evaluate(batches, verbose=0, return_dict=True)
            self.folder.write_model(f"{name}_ema.keras", student)
        return found["accuracy"]

    def _key(self, settings: TrainingSettings) -> dict[str, Any]:
        """What the images of the batches follow from."""
        chosen = {name: getattr(settings, name) for name in OF_IMAGES}
        data = {"dataset": self.data.name, "images": self.data.train.number}
        return {**chosen, **data, "seed": settings.seed, "limit": self.config.limit}

    def _tensorboard(self, name: str) -> list[keras.callbacks.Callback]:
        if keras.backend.backend() != "tensorflow":
            return []
        folder = self.folder.path / "tensorboard" / name
        return [keras.callbacks.TensorBoard(folder, write_graph=False)]

    def last(self, model: str, key: str) -> float:
        """A number of a model's last epoch."""
        return [row[key] for row in self.history if row["model"] == model][-1]


def _distiller(model: keras.Model, lesson: Lesson | None) -> Distiller:
    if lesson is None:
        return Distiller(model, distillation="none")
    loss: Any = lesson.distillation
    if loss == "soft":
        loss = SoftDistillation(temperature=lesson.temperature)
    teacher = lesson.teacher
    return Distiller(model, teacher.model, loss, lesson.alpha, teacher.preprocessing)
