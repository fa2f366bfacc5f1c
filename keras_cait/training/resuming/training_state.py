"""All that a training computes with, as arrays, and back."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from keras_cait.distillation import Distiller

GROUPS = ("model", "optimizer", "metrics")
"""Weights and random states; the optimizer's; running means, which begin anew with
each epoch."""


def values_of(distiller: Distiller, *groups: str) -> dict[str, np.ndarray]:
    """The values of all variables of some of the groups, by name.

    The teacher's are not among them: they do not change.
    """
    return {
        name: np.asarray(ops.convert_to_numpy(ops.convert_to_tensor(variable)))
        for name, variable in _variables(distiller, groups).items()
    }


def assign_values(
    distiller: Distiller, values: Mapping[str, np.ndarray], *groups: str
) -> None:
    """Puts a training where another one of the same models and optimizer was.

    Args:
        distiller: Compiled, its optimizer built.
        values: From `values_of`, those groups at least.
        *groups: Those to set.

    Raises:
        ValueError: If they are of other variables; nothing is set then.

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


def not_finite(values: Mapping[str, np.ndarray]) -> list[str]:
    """The variables that hold infinities, or no numbers."""
    return [
        name
        for name, value in values.items()
        if value.dtype.kind == "f" and not np.isfinite(value).all()
    ]


def _variables(
    distiller: Distiller, groups: tuple[str, ...]
) -> dict[str, keras.Variable]:
    variables = {
        "model": distiller.student.variables,
        "optimizer": distiller.optimizer.variables,
        "metrics": distiller.metrics_variables,
    }
    # Not by their names: in those Keras counts what was built in a process before.
    return {
        f"{group}/{index:04d}": variable
        for group in groups
        for index, variable in enumerate(variables[group])
    }
