"""Axis of logarithms with round numbers."""

from typing import Any

import numpy as np

from keras_cait.optional_packages import import_optional

_FEWEST = 3  # labels that show the scale of an axis


def use_log_axis(panel: Any) -> None:
    """Gives a matplotlib panel a logarithmic y axis with at least three labels.

    matplotlib labels powers of ten alone where there is room for one or two of them.
    Call it when everything is drawn.
    """
    panel.set_yscale("log")
    panel.set_yticks(round_numbers(*panel.get_ylim()))
    panel.set_yticks([], minor=True)
    panel.yaxis.set_major_formatter("{x:g}")


def round_numbers(low: float, high: float) -> np.ndarray:
    """Round numbers between two that are above 0.

    Powers of ten where there are three, else 1, 2, 5, 10, ..., else numbers of equal
    distance.

    Example:
        >>> round_numbers(0.03, 3).tolist()
        [0.05, 0.1, 0.2, 0.5, 1.0, 2.0]

    """
    ticker = import_optional("matplotlib.ticker", "recipes")
    for digits in ((1,), (1, 2, 5)):
        locator = ticker.LogLocator(subs=digits, numticks=100)
        found = _inside(locator.tick_values(low, high), low, high)
        if len(found) >= _FEWEST:
            return found
    locator = ticker.MaxNLocator(nbins=5, min_n_ticks=_FEWEST)
    return _inside(locator.tick_values(low, high), low, high)


def _inside(numbers: np.ndarray, low: float, high: float) -> np.ndarray:
    return numbers[(low <= numbers) & (numbers <= high)]
