"""Running means that `Distiller` logs."""

from collections.abc import Iterable
from typing import Any

import keras
from keras.src.trainers.compile_utils import CompileMetrics

from keras_cait.typing import Tensor


class Trackers(CompileMetrics):
    """Means by name: losses, which fall, and accuracies, which rise.

    Keras's callbacks look into this class alone for the direction of the value that
    they monitor (`EarlyStopping(monitor="val_accuracy")`, with `mode="auto"`).
    """

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(None, None, name="trackers")
        self._means = [keras.metrics.Mean(name=name) for name in names]
        for mean in self._means:
            mean._direction = "down" if mean.name.endswith("loss") else "up"
        self.built = True

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return self._means

    @property
    def variables(self) -> list[keras.Variable]:
        return [variable for mean in self._means for variable in mean.variables]

    def update_state(self, values: dict[str, Tensor], weight: Any = None) -> None:
        """Adds each example's values, `(batch,)` by name, to the means."""
        for mean in self._means:
            mean.update_state(values[mean.name], weight)

    def reset_state(self) -> None:
        for mean in self._means:
            mean.reset_state()

    def result(self) -> dict[str, Tensor]:
        return {mean.name: mean.result() for mean in self._means}
