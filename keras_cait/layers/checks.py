"""Checks that several layers make of their arguments."""

import numbers


def check_positive(**arguments: int) -> None:
    """Raises `ValueError` naming the first argument that is no integer above 0."""
    for name, value in arguments.items():
        if not is_integer(value) or value < 1:
            raise ValueError(
                f"`{name}` must be a whole number of 1 or more. "
                f"Received: {name}={value!r}"
            )


def check_rates(**arguments: float) -> None:
    """Raises `ValueError` naming the first argument that is no number in [0, 1)."""
    for name, value in arguments.items():
        if not _is_real(value) or not 0 <= value < 1:
            raise ValueError(
                f"`{name}` must be a number in [0, 1). Received: {name}={value!r}"
            )


def check_above_zero(**arguments: float) -> None:
    """Raises `ValueError` naming the first argument that is no number above 0."""
    for name, value in arguments.items():
        if not _is_real(value) or not value > 0:
            raise ValueError(
                f"`{name}` must be a number above 0. Received: {name}={value!r}"
            )


def is_integer(value: object) -> bool:
    """Tells integers, NumPy's included, from everything else, booleans included."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    """Tells real numbers from everything else, booleans included."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def check_recompute(recompute: bool, **rates: float) -> None:
    """Raises `ValueError` if a dropout would draw another mask when recomputed."""
    for name, rate in rates.items():
        if recompute and rate > 0:
            raise ValueError(
                "`recompute` needs layers without dropout, whose masks would be drawn "
                f"anew. Received: recompute=True, {name}={rate}. Stochastic depth may "
                "stay: it is not recomputed."
            )
