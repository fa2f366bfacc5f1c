"""Checks that several layers make of their arguments."""


def check_positive(**arguments: int) -> None:
    """Raises `ValueError` naming the first argument below 1."""
    for name, value in arguments.items():
        if value < 1:
            raise ValueError(f"`{name}` must be 1 or more. Received: {name}={value}")


def check_rates(**arguments: float) -> None:
    """Raises `ValueError` naming the first argument outside [0, 1)."""
    for name, value in arguments.items():
        if not 0 <= value < 1:
            raise ValueError(f"`{name}` must be in [0, 1). Received: {name}={value}")


def check_recompute(recompute: bool, **rates: float) -> None:
    """Raises `ValueError` if a dropout would draw another mask when recomputed."""
    for name, rate in rates.items():
        if recompute and rate > 0:
            raise ValueError(
                "`recompute` needs layers without dropout, whose masks would be drawn "
                f"anew. Received: recompute=True, {name}={rate}. Stochastic depth may "
                "stay: it is not recomputed."
            )
