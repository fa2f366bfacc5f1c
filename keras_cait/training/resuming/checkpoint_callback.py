"""Callback that writes the checkpoints of a training and resumes it from them."""

from pathlib import Path
from typing import Any, NoReturn

import keras
import numpy as np

from keras_cait.distillation import Distiller
from keras_cait.training.devices.termination import end, is_asked
from keras_cait.training.devices.worker_agreement import (
    agree,
    end_together,
    is_chief,
    shard_of,
)
from keras_cait.training.resuming.checkpoints import Checkpoint, CheckpointFolder
from keras_cait.training.resuming.training_state import (
    GROUPS,
    assign_values,
    names_not_finite,
    values_of,
)


class CheckpointCallback(keras.callbacks.Callback):
    """Writes a checkpoint every few steps, and at the end of each epoch.

    It stops a training whose loss or weights are not finite before it writes them, and
    one that receives SIGTERM or Ctrl-C after a last checkpoint. The distiller must
    be compiled, its optimizer built. `every` counts steps within an epoch. With many
    workers the first one writes, and all resume from its files.
    """

    def __init__(
        self,
        distiller: Distiller,
        folder: CheckpointFolder,
        *,
        steps_per_epoch: int,
        every: int,
        name: str,
        strategy: Any = None,
    ) -> None:
        super().__init__()
        self.folder, self.every, self.name = folder, every, name
        self.steps_per_epoch = steps_per_epoch
        self.rows: list[dict[str, Any]] = []  # log: a row for each finished epoch
        self.results: dict[str, Any] = {}  # measurements of a finished training
        self.step = 0  # number of batches that are done
        self.is_done = False  # the whole training
        self._distiller, self._strategy = distiller, strategy
        self._writes = is_chief(strategy)
        self._is_alone = shard_of(strategy).count == 1
        self._ends = False  # since a signal came
        self._restored_metrics: dict[str, np.ndarray] | None = None

    def restore(self) -> None:
        """Restores the newest readable checkpoint, if there is one.

        Raises `ValueError` if it is of another model, or of another step than on
        another worker.
        """
        checkpoint = self.folder.newest()
        step = "none" if checkpoint is None else str(checkpoint.step)
        here = step if checkpoint is None else f"of step {step}"
        agree(
            self._strategy,
            f"checkpoint of {self.name}",
            step,
            f"Here it is {here}. Give all workers one folder that they share.",
        )
        if checkpoint is None:
            return
        self.results, self.is_done = checkpoint.results, checkpoint.is_done
        groups = ("model",) if self.is_done else ("model", "optimizer")
        assign_values(self._distiller, checkpoint.values, *groups)
        self.rows, self.step = checkpoint.rows, checkpoint.step
        if self.step % self.steps_per_epoch:
            self._restored_metrics = checkpoint.values

    def check_disk_space(self) -> None:
        """Raises OSError if the disk has no room for the checkpoints."""
        values = values_of(self._distiller, *GROUPS)  # on all workers
        if self._writes:
            self.folder.check_disk_space(sum(x.nbytes for x in values.values()))

    def finish(self, results: dict[str, Any]) -> None:
        """Replaces all checkpoints by one of the trained model and its results."""
        self.results, self.is_done = results, True
        path = self._write(("model",))
        if self._writes:
            self.folder.clear(but=path)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._restored_metrics is not None:  # Keras has just reset them
            assign_values(self._distiller, self._restored_metrics, "metrics")
            self._restored_metrics = None

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.step += 1
        loss = float((logs or {}).get("loss", 0.0))
        if not np.isfinite(loss):
            self._refuse(f"a loss of {loss}")
        self._ends = end_together(self._strategy)
        if self.step % self.steps_per_epoch == 0:
            return  # `on_epoch_end` writes it, with the epoch's test accuracy
        if self._ends or self.step % self.every == 0:
            self._write(GROUPS)
        if self._ends:
            self._end()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._is_alone and is_asked():
            paths = self.folder.paths()
            step = paths[0].stem if paths else "the beginning"
            resume = f"Start again with --resume to go on from {step}."
            end(f"{self.name} is being evaluated. {resume}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        values = {key: float(value) for key, value in (logs or {}).items()}
        self.rows.append({"model": self.name, "epoch": epoch + 1, **values})
        self._write(GROUPS)
        if self._ends or (self._is_alone and is_asked()):
            self._end()

    def _end(self) -> NoReturn:
        resume = "Start again with --resume to go on."
        end(f"{self.name} is saved at step {self.step}. {resume}")

    def _write(self, groups: tuple[str, ...]) -> Path | None:
        """Writes a checkpoint; all workers must call this, the first one writes."""
        model = self.model if self.model is not None else self._distiller
        values = values_of(model, *groups)
        wrong = names_not_finite(values)
        if wrong:
            self._refuse(f"values that are not finite in {wrong[0]}")
        if not self._writes:
            return None
        log = {"rows": self.rows, "is_done": self.is_done, "results": self.results}
        return self.folder.write(Checkpoint(step=self.step, values=values, **log))

    def _refuse(self, received: str) -> NoReturn:
        epoch, batch = divmod(self.step - 1, self.steps_per_epoch)
        if self._writes:
            self.folder.remove(self.step - 1)  # this loss is of its weights
        paths = self.folder.paths()
        last = f"{paths[0]} is the last good checkpoint" if paths else "There is none"
        raise FloatingPointError(
            f"The loss and the weights of {self.name} must be finite. Received: "
            f"{received} in step {self.step}, which is batch {batch + 1} of epoch "
            f"{epoch + 1}. {last}. Lower the learning rate, clip gradients with "
            "--clip-norm, or train in float32."
        )
