"""One run of a recipe: its data, devices, folder and log."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import keras

from keras_cait.data.image_dataset import ImageDataset, fingerprint_of
from keras_cait.data.permutation import ORDER_VERSION
from keras_cait.layers.precision import dtype_policy_scope
from keras_cait.models.classes.names import with_class_names
from keras_cait.training.devices.strategy import make_strategy, scope_of
from keras_cait.training.devices.worker_agreement import agree, is_chief, shard_of
from keras_cait.training.input_pipeline import mixing_of, steps_of_epoch
from keras_cait.training.resuming.run_folder import RunFolder, fixed_settings
from keras_cait.training.settings.run_settings import RunSettings
from keras_cait.training.settings.serialization import to_json

Made = TypeVar("Made")


def strategy_of(settings: RunSettings) -> Any:
    """The strategy of a run; call it before TensorFlow computes anything."""
    return make_strategy(settings.strategy, timeout=settings.worker_timeout)


class Run:
    """One run of a recipe: its data, devices, folder and log.

    Args:
        config: Settings of the run.
        data: Training and test images.
        files: Names of the files that the recipe writes.

    Attributes:
        image_shape: Height and width in pixels, and channels, of the models' images.
        batch_size: Images of a batch of test images.
        history: Log of the run: a row for each model and epoch.
        averaged: Test accuracy of each model with its averaged weights.

    Raises:
        ValueError: If there are too few images for a batch, or settings that many
            workers cannot follow.
        FileExistsError: If the folder holds a run that may not be replaced.

    """

    def __init__(
        self, config: RunSettings, data: ImageDataset, files: tuple[str, ...]
    ) -> None:
        self.started = time.perf_counter()
        self.config, self.data = config, data
        self.classes = len(data.class_names)
        size = config.image_size or data.image_shape[0]
        # Color augmentations make gray images RGB.
        channels = data.image_shape[-1] if config.augment == "none" else 3
        self.image_shape: tuple[int, int, int] = (size, size, channels)
        self.strategy = strategy_of(config)
        self.shard = shard_of(self.strategy)
        self.is_chief = is_chief(self.strategy)
        self.batch_size = min(config.batch_size, data.train.number)
        steps_of_epoch(config, data.train.number)  # raises before files are written
        paired = mixing_of(config) is not None
        self.shard.check_batch_size(self.batch_size, paired=paired)
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
                "--teacher-logits needs whole batches, of which each of many workers "
                f"reads only a part. {received}"
            )
        if keras.backend.backend() == "jax" and self.config.jit is False:
            # Its devices start them in different orders: all wait for each other.
            raise ValueError(
                "--no-jit makes JAX compute one operation after the other, which many "
                f"workers cannot do together. {received}"
            )

    def start(self, **resolved: Any) -> None:
        """Prints all settings, and prepares the folder of the run.

        `resolved` holds settings that the recipe has worked out. Raises `ValueError` if
        the run to resume, or another worker, has other settings.
        """
        found = {"dataset": self.data.name, "image_size": self.image_shape[0]}
        found |= {"images": fingerprint_of(self.data), "order_version": ORDER_VERSION}
        settings = to_json(vars(self.config) | found | resolved)
        self.print_once(settings)
        self.folder.start(settings)
        advice = "Start all with the same command, on the same images."
        fixed = json.dumps(fixed_settings(json.loads(settings)))
        agree(self.strategy, "settings", fixed, advice)

    def make(
        self,
        build: Callable[[], Made],
        *,
        seed: int | None = None,
        precision: str | None = None,
    ) -> Made:
        """Builds a model on the run's devices, in its precision and from its seed."""
        precision = precision or self.config.mixed_precision
        policy = keras.config.dtype_policy()
        if precision != "none":
            policy = f"mixed_{precision}"
        keras.utils.set_random_seed(self.config.seed if seed is None else seed)
        with dtype_policy_scope(policy), scope_of(self.strategy):
            return build()

    def next_checkpoint_folder(self, name: str) -> Path:
        """The folder for the checkpoints of the run's next training."""
        self._trainings += 1
        return self.folder.path / "checkpoints" / f"{self._trainings:02d}-{name}"

    def write_model(self, name: str, model: keras.Model) -> None:
        """Saves a classifier together with the names of its classes."""
        self.folder.write_model(name, with_class_names(model, self.data.class_names))

    def last(self, model: str, key: str) -> float:
        """A value of a model's last epoch in the log."""
        return [row[key] for row in self.history if row["model"] == model][-1]

    def print_once(self, text: str) -> None:
        """Prints a text; of many workers only the first one does."""
        if self.is_chief:
            print(text, flush=True)  # noqa: T201
