"""The nearest known name, for errors about a name that does not exist."""

import difflib
import itertools
import operator
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggests the known name that is most similar to a wrong one.

    Upper and lower case count as equal.

    Args:
        name: The name that was given.
        known: The names that exist.

    Returns:
        A sentence with a space in front, or an empty string if no name is similar.

    Example:
        >>> did_you_mean("DeiT_Tiny", ["DeiT_S", "DeiT_Ti"])
        ' Did you mean DeiT_Ti?'
        >>> did_you_mean("resnet", ["DeiT_S", "DeiT_Ti"])
        ''

    """
    by_lower_case = {each.lower(): each for each in known}
    wrong = name.lower()
    near = difflib.get_close_matches(wrong, by_lower_case)
    if not near:
        return ""

    def similarity(candidate: str) -> tuple[float, int]:
        # Of equally similar names the one that begins alike is meant.
        start = itertools.takewhile(bool, map(operator.eq, candidate, wrong))
        return difflib.SequenceMatcher(None, candidate, wrong).ratio(), sum(start)

    return f" Did you mean {by_lower_case[max(near, key=similarity)]}?"
