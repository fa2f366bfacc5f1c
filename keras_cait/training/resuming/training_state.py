"""Variables of a training as arrays, and back."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from keras_cait.distillation import Distiller

GROUPS = ("model", "optimizer", "metrics")
"""Weights and random states; the optimizer's variables; running means of the metrics,
which Keras resets at the start of each epoch."""


def values_of(distiller: Distiller, *groups: str) -> dict[str, np.ndarray]:
    """Values of the variables of some groups, by name, without the teacher's."""
    return {
        name: np.asarray(ops.convert_to_numpy(ops.convert_to_tensor(variable)))
        for name, variable in _variables(distiller, groups).items()
    }


def assign_values(
    distiller: Distiller, values: Mapping[str, np.ndarray], *groups: str
) -> None:
    """Restores the variables of some groups from `values_of`.

    If the names or shapes differ, raises `ValueError` and changes no variable.
    """
    variables = _variables(distiller, groups)
    given = {n: value for n, value in values.items() if n.partition("/")[0] in groups}
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    found = {name: value.shape for name, value in given.items()}
    if found != shapes:
        names = sorted(name for name, _ in found.items() ^ shapes.items())
        raise ValueError(
            "A checkpoint must be of the same model and optimizer. Received: one that "
            f"differs in {len(set(names))} variables, such as {names[0]}."
        )
    for name, value in given.items():
        variables[name].assign(value)


def names_not_finite(values: Mapping[str, np.ndarray]) -> list[str]:
    """Names of the variables that hold an infinity or NaN."""
    floats = {name: x for name, x in values.items() if x.dtype.kind == "f"}
    return [name for name, x in floats.items() if not np.isfinite(x).all()]


def _variables(
    distiller: Distiller, groups: tuple[str, ...]
) -> dict[str, keras.Variable]:
    variables = {
        "model": distiller.student.variables,
        "optimizer": distiller.optimizer.variables,
        "metrics": distiller.metrics_variables,
    }
    # Keras's own names count the layers that the process has built before.
    return {
        f"{group}/{index:04d}": variable
        for group in groups
        for index, variable in enumerate(variables[group])
    }
