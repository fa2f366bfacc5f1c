"""Suggestion of the nearest known name, for errors about unknown names."""

import difflib
import itertools
import operator
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """Suggests, after a space, the known name that is most similar to an unknown one.

    Upper and lower case count as equal. The user writes `prefix` in front of each name.

    Example:
        >>> did_you_mean("DeiT_Tiny", ["DeiT_S", "DeiT_Ti"])
        ' Did you mean DeiT_Ti?'
        >>> did_you_mean("resnet", ["DeiT_S", "DeiT_Ti"])
        ''

    """
    by_lower_case = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower_case)
    if not near:
        return ""

    def similarity(candidate: str) -> tuple[float, int]:
        # Of equally similar names the one with the longer common start is better.
        start = itertools.takewhile(bool, map(operator.eq, candidate, name))
        return difflib.SequenceMatcher(None, candidate, name).ratio(), sum(start)

    best = max((by_lower_case[each] for each in near), key=similarity)
    return f" Did you mean {prefix}{best}?"
