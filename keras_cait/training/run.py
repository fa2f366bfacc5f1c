"""One training run: its data, its devices, its folder and its log."""

import contextlib
import dataclasses
import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import keras

from keras_cait.data.batches import (
    evaluation_batches,
    steps_per_epoch,
    training_batches,
)
from keras_cait.data.image_dataset import ImageDataset, fingerprint_of
from keras_cait.data.images.evaluation_transform import EvaluationView
from keras_cait.data.labeled_images import Sample
from keras_cait.data.permutation import ORDER_VERSION
from keras_cait.distillation import Distiller
from keras_cait.models.classes.names import with_class_names
from keras_cait.models.published.preprocessing import own_preprocessing
from keras_cait.training.class_losses import class_loss
from keras_cait.training.devices.strategy import scope_of
from keras_cait.training.devices.worker_agreement import (
    agree,
    distribute,
    is_chief,
    shard_of,
)
from keras_cait.training.distillation_setup import Lesson, distiller_of
from keras_cait.training.optimizers.from_settings import optimizer_of
from keras_cait.training.optimizers.moving_average import ema_weights
from keras_cait.training.progress import Progress
from keras_cait.training.resuming.checkpoint_callback import Keeping, train
from keras_cait.training.resuming.checkpoints import Checkpoints
from keras_cait.training.resuming.run_folder import RunFolder, followed
from keras_cait.training.settings.configuration import to_json
from keras_cait.training.settings.run_settings import OF_DATA, RunConfig, strategy_of
from keras_cait.training.settings.training_settings import OF_IMAGES, TrainingSettings
from keras_cait.training.teachers.cached_logits import cached_teacher_logits
from keras_cait.training.training_draws import drawing_of, naming_drawn

Made = TypeVar("Made")


class Run:
    """One run: everything a recipe shares with the others.

    Args:
        config: What the run is told.
        data: The images.
        files: Names of the files that it leaves in its folder.

    Attributes:
        image_shape: Height and width in pixels, and channels, of the models' images.
        batch_size: Images that are seen at once, unless a training says otherwise.
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
        # Some views are of colors, so gray images become color where they are.
        channels = data.image_shape[-1] if config.augment == "none" else 3
        self.image_shape: tuple[int, int, int] = (size, size, channels)
        self.strategy = strategy_of(config)
        self.shard = shard_of(self.strategy)
        self.is_chief = is_chief(self.strategy)
        self.batch_size = min(config.batch_size, data.train.number)
        self._steps_of(config)  # refuses too few images before anything is written
        self.shard.check(self.batch_size, paired=config.mixing() is not None)
        if self.shard.count > 1:
            self._check_for_many_workers()
        self.folder = RunFolder(
            config.output,
            files,
            overwrite=config.overwrite,
            resume=config.resume,
            writes=self.is_chief,
        )
        self._trainings = 0
        self.history: list[dict[str, Any]] = []
        self.averaged: dict[str, float] = {}

    def _check_for_many_workers(self) -> None:
        received = f"Received: {self.shard.count} workers. Leave it out."
        if self.config.teacher_logits is not None:
            raise ValueError(
                "--teacher-logits keeps what a teacher says to whole batches, of which "
                f"each worker sees a part. {received}"
            )
        if keras.backend.backend() == "jax" and self.config.jit is False:
            # Its devices start them in different orders: all wait for each other.
            raise ValueError(
                "--no-jit makes JAX compute one operation after the other, which many "
                f"workers cannot do together. {received}"
            )

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
            ValueError: If the run that is there is another one, and is to go on, or
                another worker follows other settings.
            OSError: If nothing can be written there, or another run does.

        """
        found = {"dataset": self.data.name, "image_size": self.image_shape[0]}
        found |= {"images": fingerprint_of(self.data), "order_version": ORDER_VERSION}
        settings = to_json(vars(self.config) | found | resolved)
        self.say(settings)
        self.folder.start(settings)
        advice = "Start all with the same command, on the same images."
        agree(self.strategy, "settings", json.dumps(followed(settings)), advice)

    def say(self, text: str) -> None:
        """Prints it, once for all workers."""
        if self.is_chief:
            print(text, flush=True)  # noqa: T201

    def test_batches(self, model: keras.Model, *, shared: bool = False) -> Any:
        """The test images as a model is measured on them.

        Args:
            model: The model.
            shared: Whether all workers measure it together, each a part.

        """
        view, size = self._evaluation_view(model), self.batch_size
        if not shared:
            return evaluation_batches(self.data.test, view, size)
        batches = evaluation_batches(self.data.test, view, size, shard=self.shard)
        return distribute(self.strategy, batches, size=size // self.shard.count)

    def sample_batches(self, model: keras.Model, number: int) -> Any:
        """As `test_batches`, so many of the images to train on, drawn by the seed."""
        images: Any = Sample(self.data.train, number, self.config.seed)
        return evaluation_batches(images, self._evaluation_view(model), self.batch_size)

    def _evaluation_view(self, model: keras.Model) -> EvaluationView:
        own = own_preprocessing(model)
        return self.config.evaluation_view(self.image_shape, own)

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
        steps = self._steps_of(settings)

        def batches(first_step: int) -> Any:
            found: Any = training_batches(
                self.data.train,
                settings.views(self.image_shape),
                **drawing_of(settings, self.data),
                mixing=settings.mixing(),
                classes=self.classes,
                first_step=first_step,
                shard=self.shard,
            )
            if lesson is None or settings.teacher_logits is None:
                return distribute(self.strategy, found)
            return cached_teacher_logits(
                found,
                lesson.teacher,
                settings.teacher_logits,
                key=self._key(settings),
                first_step=first_step,
            )

        jit = "auto" if settings.jit is None else settings.jit
        keras.utils.set_random_seed(settings.seed)
        with scope_of(self.strategy):
            distiller = distiller_of(model, lesson)
            distiller.compile(
                optimizer_of(settings, steps),
                class_loss(settings.loss),
                # XLA compiles one replica, which knows nothing of the others.
                jit_compile=False if distiller.shares_statistics else jit,
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
            strategy=self.strategy,
        )
        if settings.resume:
            keeping.resume()
        speed = keeping.about.get("images_per_second", 0.0)
        if not keeping.is_done:
            keeping.check_room()
            progress = Progress(
                name,
                batch_size,
                steps,
                settings.epochs,
                done=keeping.step,
                shown=self.is_chief,
            )
            with (
                contextlib.closing(progress),  # or its line would go on in an error's
                naming_drawn(settings, self.data, lambda: keeping.step),
            ):
                train(
                    distiller,
                    keeping,
                    batches,
                    epochs=settings.epochs,
                    test_batches=self.test_batches(model, shared=True),
                    callbacks=[progress, *self._tensorboard(name)],
                )
            speed = progress.images_per_second
            average = None if settings.ema is None else self._average(name, distiller)
            keeping.finish({"images_per_second": speed, "averaged": average})
        self.history += keeping.rows
        if keeping.about.get("averaged") is not None:
            self.averaged[name] = keeping.about["averaged"]
        return speed

    def _steps_of(self, settings: TrainingSettings) -> int:
        """Batches of an epoch under these settings."""
        number = self.data.train.number
        return steps_per_epoch(
            number,
            min(settings.batch_size, number),
            settings.repeats,
            settings.accumulation_steps,
        )

    def _average(self, name: str, distiller: Distiller) -> float:
        """Writes the model with the average of its weights; returns its accuracy."""
        with ema_weights(distiller.optimizer):
            student = distiller.student
            batches = self.test_batches(student, shared=True)
            found = distiller.evaluate(batches, verbose=0, return_dict=True)
            self.write_model(f"{name}_ema.keras", student)
        return found["accuracy"]

    def write_model(self, name: str, model: keras.Model) -> None:
        """Writes a classifier of the run's images, with the names of their classes."""
        self.folder.write_model(name, with_class_names(model, self.data.class_names))

    def _key(self, settings: TrainingSettings) -> dict[str, Any]:
        """What the images of the batches follow from."""
        chosen = {name: getattr(settings, name) for name in OF_IMAGES}
        of_data = {name: getattr(self.config, name) for name in OF_DATA}
        of_data |= {"dataset": self.data.name, "images": self.data.train.number}
        order = {"order_version": ORDER_VERSION, "seed": settings.seed}
        return {**chosen, **of_data, **order}

    def _tensorboard(self, name: str) -> list[keras.callbacks.Callback]:
        if keras.backend.backend() != "tensorflow" or not self.is_chief:
            return []
        folder = self.folder.path / "tensorboard" / name
        return [keras.callbacks.TensorBoard(folder, write_graph=False)]

    def last(self, model: str, key: str) -> float:
        """A number of a model's last epoch."""
        return [row[key] for row in self.history if row["model"] == model][-1]
