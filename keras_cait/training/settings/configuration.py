"""A recipe's settings: one frozen dataclass, filled from the command line."""

import argparse
import dataclasses
import json
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from keras_cait.suggestion import did_you_mean

Config = TypeVar("Config")


def setting(default: Any, text: str) -> Any:
    """A field of a configuration: its default and what `--help` says of it."""
    return dataclasses.field(default=default, metadata={"help": text})


def parse_flags(
    config_class: type, arguments: Sequence[str] | None, *, description: str
) -> dict[str, Any]:
    """The settings that a command line names, and no others.

    `batch_size: int` becomes `--batch-size N`, `jit: bool` becomes `--jit` and
    `--no-jit`, a `Literal` its choices; `X | None` is set as `X` is.

    Args:
        config_class: A dataclass whose fields come from `setting`.
        arguments: What stands behind the program's name; None for `sys.argv`.
        description: What `--help` opens with.

    Raises:
        SystemExit: With code 2 and a line of what was expected, after a flag or
            value that cannot be; unknown flags get the nearest name.

    Example:
        >>> @dataclasses.dataclass(frozen=True, kw_only=True)
        ... class Settings:
        ...     batch_size: int = setting(64, "images a step")
        ...     seed: int = setting(0, "of everything random")
        >>> parse_flags(Settings, ["--batch-size", "8"], description="")
        {'batch_size': 8}

    """
    parser = _Parser(
        description=description,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hints = typing.get_type_hints(config_class)
    fields = dataclasses.fields(typing.cast(Any, config_class))
    for flag, field in zip(flags_of(config_class), fields, strict=True):
        parser.add_argument(
            flag,
            help=field.metadata["help"]
            + ("" if field.default is None else f" (default: {field.default})"),
            **_argument(hints[field.name]),
        )
    values, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(_unknown(unknown[0].split("=")[0], parser))
    return vars(values)


def flags_of(config_class: type) -> list[str]:
    """The flags of a configuration, in the order of its fields."""
    fields = dataclasses.fields(typing.cast(Any, config_class))
    return ["--" + field.name.replace("_", "-") for field in fields]


def make_config(
    config_class: type[Config],
    given: Mapping[str, Any],
    preset: Mapping[str, Any] | None = None,
) -> Config:
    """A configuration: what is given, then what the preset says, then the defaults.

    Raises:
        ValueError: If the dataclass refuses a value.

    """
    return config_class(**{**(preset or {}), **given})


def _argument(hint: Any) -> dict[str, Any]:
    """What argparse is told of a field's type."""
    # `int | None` is of one kind, `Literal[...] | None` of the other.
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    if typing.get_origin(hint) is typing.Literal:
        return {"choices": typing.get_args(hint)}
    if typing.get_origin(hint) is tuple:
        kinds = typing.get_args(hint)
        name = kinds[0].__name__.upper()
        return {"type": kinds[0], "nargs": len(kinds), "metavar": name}
    return {"type": hint, "metavar": hint.__name__.upper()}


def _unknown(name: str, parser: argparse.ArgumentParser) -> str:
    flags = [flag for action in parser._actions for flag in action.option_strings]
    hint = did_you_mean(name, flags) or " See --help."
    return f"there is no flag {name}.{hint}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """In what two nested settings differ, a line for each.

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


def to_json(config: Any) -> str:
    """A configuration, or any dictionary, as indented JSON."""

    def plain(value: Any) -> Any:
        if isinstance(value, Path):
            return str(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.asdict(value)
        raise TypeError(f"{type(value).__name__} has no place in a configuration")

    return json.dumps(config, indent=2, default=plain)
