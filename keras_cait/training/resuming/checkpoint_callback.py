"""A training that is kept on disk while it goes on, and goes on from there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import keras
import numpy as np

from keras_cait.distillation import Distiller
from keras_cait.training.devices.termination import end, is_asked, signals_put_off
from keras_cait.training.devices.worker_agreement import (
    agree,
    end_together,
    is_chief,
    shard_of,
)
from keras_cait.training.resuming.checkpoints import Checkpoints, State, check_room
from keras_cait.training.resuming.training_state import (
    GROUPS,
    assign_values,
    not_finite,
    values_of,
)


class Keeping(keras.callbacks.Callback):
    """Keeps all that a training is every few steps, and at the end of each epoch.

    It stops a training whose loss is no number any more, before that is kept, and one
    that SIGTERM or Ctrl-C asks to end, after it is kept.

    Args:
        distiller: Compiled, its optimizer built.
        checkpoints: Where it is kept.
        steps_per_epoch: Batches of an epoch.
        every: Steps between two states within an epoch.
        name: What to call it in the log, and where it stops.
        strategy: From `make_strategy`. With many workers the first one writes, and
            all go on from what it has written.

    Attributes:
        rows: The log: a row an epoch that is done.
        about: What was kept with the finished training.
        step: Batches that are done.
        is_done: Whether the whole training is.

    """

    def __init__(
        self,
        distiller: Distiller,
        checkpoints: Checkpoints,
        *,
        steps_per_epoch: int,
        every: int,
        name: str,
        strategy: Any = None,
    ) -> None:
        super().__init__()
        self.checkpoints, self.every, self.name = checkpoints, every, name
        self.steps_per_epoch = steps_per_epoch
        self.rows: list[dict[str, Any]] = []
        self.about: dict[str, Any] = {}
        self.step = 0
        self.is_done = False
        self._distiller, self._strategy = distiller, strategy
        self._writes = is_chief(strategy)
        self._alone = shard_of(strategy).count == 1
        self._ends = False
        self._within: dict[str, np.ndarray] | None = None

    def resume(self) -> None:
        """Puts the training where its newest state that is whole has it, if any.

        Raises:
            ValueError: If that is of another model or optimizer, or another one on
                another worker, or no checkpoint can be read.

        """
        state = self.checkpoints.newest()
        agree(
            self._strategy,
            f"checkpoint of {self.name}",
            "none" if state is None else str(state.step),
            f"Here it is {'none' if state is None else f'of step {state.step}'}. Give "
            "all workers one folder that they share.",
        )
        if state is None:
            return
        self.about, self.is_done = state.results, state.is_done
        groups = ("model",) if self.is_done else ("model", "optimizer")
        assign_values(self._distiller, state.values, *groups)
        self.rows, self.step = state.rows, state.step
        if self.step % self.steps_per_epoch:
            self._within = state.values

    def check_room(self) -> None:
        """Refuses a disk without room for what is to be kept."""
        values = values_of(self._distiller, *GROUPS)
        if not self._writes:
            return
        self.checkpoints.folder.mkdir(parents=True, exist_ok=True)
        check_room(
            self.checkpoints.folder, sum(value.nbytes for value in values.values())
        )

    def finish(self, about: dict[str, Any]) -> None:
        """Keeps the model that was trained, and nothing else."""
        self.about, self.is_done = about, True
        path = self._write(("model",))
        if self._writes:
            self.checkpoints.clear(but=path)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._within is not None:
            assign_values(self._distiller, self._within, "metrics")
            self._within = None

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.step += 1
        loss = float((logs or {}).get("loss", 0.0))
        if not np.isfinite(loss):
            self._refuse(f"a loss of {loss}")
        self._ends = end_together(self._strategy)
        if self.step % self.steps_per_epoch == 0:
            return  # the end of the epoch keeps it, with what it is measured to be
        if self._ends or self.step % self.every == 0:
            self._write(GROUPS)
        if self._ends:
            self._end()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._alone and is_asked():
            kept = self.checkpoints.paths()
            step = kept[0].stem if kept else "the beginning"
            end(
                f"{self.name} is being measured. Start again with --resume to go on "
                f"from {step}."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        values = {key: float(value) for key, value in (logs or {}).items()}
        self.rows.append({"model": self.name, "epoch": epoch + 1, **values})
        self._write(GROUPS)
        if self._ends or (self._alone and is_asked()):
            self._end()

    def _end(self) -> NoReturn:
        end(
            f"{self.name} is kept at step {self.step}. Start again with --resume to go "
            "on."
        )

    def _write(self, groups: tuple[str, ...]) -> Path | None:
        """Keeps a state; each worker has to come here, one of them writes."""
        model = self.model if self.model is not None else self._distiller
        values = values_of(model, *groups)
        wrong = not_finite(values)
        if wrong:
            self._refuse(f"values that are not finite in {wrong[0]}")
        if not self._writes:
            return None
        return self.checkpoints.write(
            State(
                step=self.step,
                values=values,
                rows=self.rows,
                is_done=self.is_done,
                results=self.about,
            )
        )

    def _refuse(self, what: str) -> None:
        epoch, batch = divmod(self.step - 1, self.steps_per_epoch)
        if self._writes:
            self.checkpoints.remove(self.step - 1)  # it is what led to this
        kept = self.checkpoints.paths()
        last = f"{kept[0]} is the last good checkpoint" if kept else "None was kept yet"
        raise FloatingPointError(
            f"The loss and the weights of {self.name} must be finite. Received: {what} "
            f"in step {self.step}, which is batch {batch + 1} of epoch {epoch + 1}. "
            f"{last}. Lower the learning rate, clip gradients with --clip-norm, or "
            "train in float32."
        )


def train(
    distiller: Distiller,
    keeping: Keeping,
    batches: Callable[[int], Any],
    *,
    epochs: int,
    test_batches: Any,
    callbacks: list[keras.callbacks.Callback],
) -> None:
    """Trains to the end, from the first step or from where the training was.

    Args:
        distiller: Compiled, its optimizer built.
        keeping: What keeps it; says which steps are done.
        batches: All batches from a step on.
        epochs: Of the whole training.
        test_batches: What it is measured on after each epoch.
        callbacks: Besides.

    Raises:
        FloatingPointError: If the loss is no number any more.
        SystemExit: With code 143 after SIGTERM, with 130 after Ctrl-C.

    """
    steps = keeping.steps_per_epoch
    with signals_put_off():
        while keeping.step < epochs * steps:
            # Keras begins at the start of an epoch: what is left of one comes first.
            epoch, done = divmod(keeping.step, steps)
            distiller.fit(
                batches(keeping.step),
                validation_data=test_batches,
                initial_epoch=epoch,
                epochs=epoch + 1 if done else epochs,
                steps_per_epoch=steps - done,
                callbacks=[*callbacks, keeping],
                shuffle=False,  # the batches are
                verbose=0,
            )
