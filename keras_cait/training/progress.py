"""Progress of a training: losses, images per second and the time left."""

import io
import sys
import time
from typing import Any

import keras
from tqdm import tqdm

_SHOWN = {
    "loss": "loss",
    "class": "class_loss",
    "distillation": "distillation_loss",
    "test accuracy": "val_accuracy",
}


class Progress(keras.callbacks.Callback):
    """Progress of a training: losses, images per second and the time left.

    It is a bar on a terminal; in a log it is a line at the start and for each epoch.
    `batch_size` counts training images of one step, `steps` those of an epoch,
    `epochs` those of the whole training, `done` the steps of an earlier run.
    `rates` are images per second of each epoch, without its evaluation.
    """

    def __init__(
        self,
        name: str,
        batch_size: int,
        steps: int,
        epochs: int,
        done: int = 0,
        *,
        shown: bool = True,
    ) -> None:
        super().__init__()
        self.batch_size, self.epochs = batch_size, epochs
        self.rates: list[float] = []
        terminal = sys.stderr.isatty()
        self.logged = shown and not terminal
        self.bar = tqdm(
            total=steps * epochs,
            initial=done,
            desc=name,
            unit="step",
            dynamic_ncols=True,
            file=None if terminal else io.StringIO(),
            mininterval=0.5 if terminal else float("inf"),
            disable=not shown,
        )
        self._log()

    @property
    def images_per_second(self) -> float:
        """Median over epochs, without the first one, which compiles, if possible."""
        rates = sorted(self.rates[1:] or self.rates)
        return rates[len(rates) // 2] if rates else 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.started, self.first = time.perf_counter(), self.bar.n

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.bar.update()
        self.stopped = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        images = (self.bar.n - self.first) * self.batch_size
        self.rates.append(images / (self.stopped - self.started))
        logs = logs or {}
        shown = {k: f"{logs[name]:.3f}" for k, name in _SHOWN.items() if name in logs}
        epochs, rate = f"{epoch + 1}/{self.epochs}", f"{self.rates[-1]:.0f}"
        shown = {"epoch": epochs, **shown, "images/s": rate}
        self.bar.set_postfix(shown, refresh=not self.logged)
        self._log()

    def _log(self) -> None:
        if self.logged:
            sys.stderr.write(f"{self.bar}\n")
            sys.stderr.flush()

    def close(self) -> None:
        """Ends the line of the bar."""
        self.bar.close()
