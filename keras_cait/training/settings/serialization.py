"""Settings as JSON, and the comparison of two of them."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def to_json(settings: Any) -> str:
    """Writes settings, or any dictionary, as indented JSON."""

    def plain(value: Any) -> Any:
        if isinstance(value, Path):
            return str(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.asdict(value)
        raise TypeError(f"{type(value).__name__} cannot be saved with the settings")

    return json.dumps(settings, indent=2, default=plain)


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Lists the values in which two nested settings differ, a line for each.

    Example:
        >>> differences({"a": 0, "of": {"depth": 2}}, {"a": 0, "of": {"depth": 3}})
        ['of.depth: 2 there, 3 here']

    """
    found, expected = _flat(there), _flat(here)
    return [
        f"{name}: {found.get(name, 'nothing')} there, {expected.get(name, 'nothing')} "
        "here"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings under names with dots."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": one for inner, one in _flat(value).items()}
        else:
            flat[name] = value
    return flat
