"""One progress bar for a whole run, with the time left, and its speed."""

import time
from typing import Any

import keras
from tqdm import tqdm


class Progress(keras.callbacks.Callback):
    """Shows how far a run is, the time left, images a second and the losses.

    Args:
        name: What is trained.
        images_per_epoch: Training images seen in one epoch.

    Attributes:
        rates: Images a second of each epoch, without measuring on test images.

    """

    def __init__(self, name: str, images_per_epoch: int) -> None:
        super().__init__()
        self.name = name
        self.images_per_epoch = images_per_epoch
        self.rates: list[float] = []

    @property
    def images_per_second(self) -> float:
        """Of the median epoch; the first one, which compiles, counts if alone."""
        rates = sorted(self.rates[1:] or self.rates)
        return rates[len(rates) // 2] if rates else 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        steps = self.params["epochs"] * self.params["steps"]
        self.bar = tqdm(
            total=steps,
            desc=self.name,
            unit="step",
            dynamic_ncols=True,
            mininterval=0.5,
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.started = time.perf_counter()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self.bar.update(batch + 1 - self.bar.n % self.params["steps"])
        self.stopped = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.rates.append(self.images_per_epoch / (self.stopped - self.started))
        shown = {"epoch": f"{epoch + 1}/{self.params['epochs']}"}
        for label, name in _SHOWN.items():
            if logs and name in logs:
                shown[label] = f"{logs[name]:.3f}"
        shown["images/s"] = f"{self.rates[-1]:.0f}"
        self.bar.set_postfix(shown)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.bar.close()


_SHOWN = {
    "loss": "loss",
    "class": "class_loss",
    "distillation": "distillation_loss",
    "test accuracy": "val_accuracy",
}
