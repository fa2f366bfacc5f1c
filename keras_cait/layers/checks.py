"""Checks of arguments that several layers and models share."""

import numbers

from keras_cait.range_check import check_range


def check_positive(**arguments: int) -> None:
    """Raises `ValueError` for the first argument that is no integer above 0."""
    for name, value in arguments.items():
        valid = is_integer(value) and value >= 1
        check_range(valid, "a whole number of 1 or more", **{name: value})


def check_rates(**arguments: float) -> None:
    """Raises `ValueError` for the first argument that is no number in [0, 1)."""
    for name, value in arguments.items():
        valid = _is_real(value) and 0 <= value < 1
        check_range(valid, "a number in [0, 1)", **{name: value})


def check_above_zero(**arguments: float) -> None:
    """Raises `ValueError` for the first argument that is no number above 0."""
    for name, value in arguments.items():
        valid = _is_real(value) and value > 0
        check_range(valid, "a number above 0", **{name: value})


def check_recompute(recompute: bool, **rates: float) -> None:
    """Raises `ValueError` if a dropout would draw another mask when recomputed."""
    for name, rate in rates.items():
        if recompute and rate > 0:
            raise ValueError(
                "`recompute` needs layers without dropout, whose masks would be drawn "
                f"anew. Received: recompute=True, {name}={rate}. Stochastic depth may "
                "stay: it is not recomputed."
            )


def is_integer(value: object) -> bool:
    """Whether it is an integer, NumPy's included, and no boolean."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
