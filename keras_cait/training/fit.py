"""One model's training: from its newest checkpoint to its averaged weights."""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras

from keras_cait.distillation import Distiller
from keras_cait.training.class_losses import class_loss
from keras_cait.training.devices.strategy import scope_of
from keras_cait.training.devices.termination import signals_deferred
from keras_cait.training.distillation_setup import DistillationSetup, make_distiller
from keras_cait.training.input_pipeline import steps_of_epoch
from keras_cait.training.optimizers.moving_average import ema_weights
from keras_cait.training.progress import Progress
from keras_cait.training.resuming.checkpoint_callback import CheckpointCallback
from keras_cait.training.resuming.checkpoints import CheckpointFolder
from keras_cait.training.run import Run
from keras_cait.training.run_batches import (
    batches_of_test_images,
    batches_of_training_images,
    naming_unreadable_images,
)
from keras_cait.training.settings.optimizer import optimizer_from
from keras_cait.training.settings.run_settings import RunSettings


def fit(
    run: Run,
    name: str,
    model: keras.Model,
    setup: DistillationSetup | None = None,
    **changed: Any,
) -> float:
    """Trains a model on labels, and on a teacher's logits if it has a teacher.

    With `--resume` it continues from the newest checkpoint of the same training.
    Adds the model's epochs to the log of the run.

    Args:
        run: The run, started.
        name: Name of the model in the log.
        model: Model from `run.make`.
        setup: Teacher and loss of a distillation; None to train on labels alone.
        **changed: Settings of this model that differ from the run's.

    Returns:
        Training images per second.

    Raises:
        FloatingPointError: If the loss or a weight is not finite.
        SystemExit: With code 143 after SIGTERM, with 130 after Ctrl-C.

    """
    settings = dataclasses.replace(run.config, **changed)
    steps = steps_of_epoch(settings, run.data.train.number)
    distiller = _compiled_distiller(run, settings, steps, model, setup)
    checkpoints = CheckpointCallback(
        distiller,
        CheckpointFolder(run.next_checkpoint_folder(name)),
        steps_per_epoch=steps,
        every=settings.checkpoint_steps,
        name=name,
        strategy=run.strategy,
    )
    if settings.resume:
        checkpoints.restore()
    if not checkpoints.is_done:
        checkpoints.check_disk_space()
        teacher = None if setup is None else setup.teacher
        batches = partial(batches_of_training_images, run, settings, teacher)
        test_batches = batches_of_test_images(run, model, shared=True)
        speed = _train(run, settings, distiller, checkpoints, batches, test_batches)
        accuracy = None
        if settings.ema is not None:
            accuracy = _save_average(run, name, distiller, test_batches)
        checkpoints.finish({"images_per_second": speed, "averaged": accuracy})
    run.history += checkpoints.rows
    if checkpoints.results.get("averaged") is not None:
        run.averaged[name] = checkpoints.results["averaged"]
    return checkpoints.results.get("images_per_second", 0.0)


def _compiled_distiller(
    run: Run,
    settings: RunSettings,
    steps: int,
    model: keras.Model,
    setup: DistillationSetup | None,
) -> Distiller:
    """The model with its teacher, loss and optimizer; all variables are built."""
    jit = "auto" if settings.jit is None else settings.jit
    keras.utils.set_random_seed(settings.seed)
    with scope_of(run.strategy):
        distiller = make_distiller(model, setup)
        distiller.compile(
            optimizer_from(settings, steps),
            class_loss(settings.loss),
            # XLA compiles one replica, which cannot exchange statistics with others.
            jit_compile=False if distiller.synchronizes_batch_norm else jit,
        )
        distiller.optimizer.build(distiller.trainable_variables)
    return distiller


def _train(
    run: Run,
    settings: RunSettings,
    distiller: Distiller,
    checkpoints: CheckpointCallback,
    batches: Callable[[int], Any],
    test_batches: Any,
) -> float:
    """Trains the remaining epochs under a progress bar; returns images a second."""
    progress = Progress(
        checkpoints.name,
        min(settings.batch_size, run.data.train.number),
        checkpoints.steps_per_epoch,
        settings.epochs,
        done=checkpoints.step,
        shown=run.is_chief,
    )
    with (
        contextlib.closing(progress),  # an error's text would go on in the bar's line
        naming_unreadable_images(run, settings, lambda: checkpoints.step),
    ):
        fit_remaining_epochs(
            distiller,
            checkpoints,
            batches,
            epochs=settings.epochs,
            test_batches=test_batches,
            callbacks=[progress, *_tensorboard(run, checkpoints.name)],
        )
    return progress.images_per_second


def fit_remaining_epochs(
    distiller: Distiller,
    checkpoints: CheckpointCallback,
    batches: Callable[[int], Any],
    *,
    epochs: int,
    test_batches: Any,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Calls `distiller.fit` from the restored step on, until all epochs are done.

    `batches` returns all batches from a step on.
    """
    steps = checkpoints.steps_per_epoch
    with signals_deferred():
        while checkpoints.step < epochs * steps:
            # Keras begins at the start of an epoch: the rest of one comes first.
            epoch, done = divmod(checkpoints.step, steps)
            distiller.fit(
                batches(checkpoints.step),
                validation_data=test_batches,
                initial_epoch=epoch,
                epochs=epoch + 1 if done else epochs,
                steps_per_epoch=steps - done,
                callbacks=[*callbacks, checkpoints],
                shuffle=False,  # the batches are shuffled
                verbose=0,
            )


def _tensorboard(run: Run, name: str) -> list[keras.callbacks.Callback]:
    if keras.backend.backend() != "tensorflow" or not run.is_chief:
        return []
    folder = run.folder.path / "tensorboard" / name
    return [keras.callbacks.TensorBoard(folder, write_graph=False)]


def _save_average(
    run: Run, name: str, distiller: Distiller, test_batches: Any
) -> float:
    """Saves the model with its averaged weights; returns its test accuracy."""
    with ema_weights(distiller.optimizer):
        metrics = distiller.evaluate(test_batches, verbose=0, return_dict=True)
        run.write_model(f"{name}_ema.keras", distiller.student)
    return metrics["accuracy"]
