"""Command-line flags of a settings dataclass."""

import argparse
import dataclasses
import typing
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, NoReturn, TypeVar

from keras_cait.suggestion import did_you_mean

Settings = TypeVar("Settings")


def option(default: Any, text: str) -> Any:
    """A field of a settings dataclass: its default and its text in `--help`."""
    return dataclasses.field(default=default, metadata={"help": text})


def parse_flags(
    settings_class: type, arguments: Sequence[str] | None, *, description: str
) -> dict[str, Any]:
    """Parses a command line into the settings that it gives, and no others.

    `batch_size: int` becomes `--batch-size N`, `jit: bool` becomes `--jit` and
    `--no-jit`, a `Literal` becomes choices; `X | None` is parsed as `X`, and
    `tuple[X, ...]` as one or more. The fields of the dataclass come from `option`. An
    unknown flag or a wrong value ends the program with code 2 and one line on stderr,
    for an unknown flag with the nearest name.
    """
    parser = _Parser(
        description=description,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hints = typing.get_type_hints(settings_class)
    fields = dataclasses.fields(typing.cast(Any, settings_class))
    for flag, field in zip(flag_names(settings_class), fields, strict=True):
        default = field.default
        if isinstance(default, tuple):
            default = " ".join(map(str, default))
        default = "" if default is None else f" (default: {default})"
        parser.add_argument(
            flag, help=field.metadata["help"] + default, **_argument(hints[field.name])
        )
    values, unknown = parser.parse_known_args(arguments)
    if unknown:
        name = unknown[0].split("=")[0]
        flags = [flag for action in parser._actions for flag in action.option_strings]
        hint = did_you_mean(name, flags) or " See --help."
        parser.error(f"there is no flag {name}.{hint}")
    return vars(values)


def flag_names(settings_class: type) -> list[str]:
    """The flags of a settings dataclass, in the order of its fields."""
    fields = dataclasses.fields(typing.cast(Any, settings_class))
    return ["--" + field.name.replace("_", "-") for field in fields]


def make_settings(
    settings_class: type[Settings],
    given: Mapping[str, Any],
    preset: Mapping[str, Any] | None = None,
) -> Settings:
    """Merges given values over those of a preset, and these over the defaults."""
    return settings_class(**{**(preset or {}), **given})


def _argument(hint: Any) -> dict[str, Any]:
    """Keyword arguments of `add_argument` for the type of a field."""
    # `int | None` is a UnionType, `Literal[...] | None` a Union.
    if typing.get_origin(hint) in (UnionType, typing.Union):
        hint = next(part for part in typing.get_args(hint) if part is not NoneType)
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    if typing.get_origin(hint) is typing.Literal:
        return {"choices": typing.get_args(hint)}
    if typing.get_origin(hint) is tuple:
        kinds = typing.get_args(hint)
        if kinds[-1] is Ellipsis:
            return {**_argument(kinds[0]), "nargs": "+"}
        name = kinds[0].__name__.upper()
        return {"type": kinds[0], "nargs": len(kinds), "metavar": name}
    return {"type": hint, "metavar": hint.__name__.upper()}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")
