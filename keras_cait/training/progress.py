"""One progress bar for a whole run, with the time left, and its speed."""

import time
from typing import Any

import keras
from tqdm import tqdm


class Progress(keras.callbacks.Callback):
    """Shows how far a run is, the time left, images a second and the losses.

    Args:
        name: What is trained.
        batch_size: Training images seen in one step.
        steps: Of an epoch.
        epochs: Of the whole training.
        done: Steps that were done before, in an earlier run.
        shown: Whether there is a bar.

    Attributes:
        rates: Images a second of each epoch, without measuring on test images.

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
        self.bar = tqdm(
            total=steps * epochs,
            initial=done,
            desc=name,
            unit="step",
            dynamic_ncols=True,
            mininterval=0.5,
            disable=not shown,
        )

    @property
    def images_per_second(self) -> float:
        """Of the median epoch; the first one, which compiles, counts if alone."""
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
        shown = {"epoch": f"{epoch + 1}/{self.epochs}"}
        for label, name in _SHOWN.items():
            if logs and name in logs:
                shown[label] = f"{logs[name]:.3f}"
        shown["images/s"] = f"{self.rates[-1]:.0f}"
        self.bar.set_postfix(shown)

    def close(self) -> None:
        """Ends the bar's line."""
        self.bar.close()


_SHOWN = {
    "loss": "loss",
    "class": "class_loss",
    "distillation": "distillation_loss",
    "test accuracy": "val_accuracy",
}
