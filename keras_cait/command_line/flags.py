"""Command-line flags of a settings dataclass."""

import dataclasses
import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar

from cyclopts import App, CycloptsError, Parameter

Settings = TypeVar("Settings")


def option(default: Any, text: str) -> Any:
    """A field of a settings dataclass: its default and its text in `--help`."""
    return dataclasses.field(default=default, metadata={"help": text})


def command_app(name: str, description: str = "", **options: Any) -> App:
    """A program of cyclopts that raises its errors and returns results.

    `--help` shows the first line of the description before the flags, the others after
    them, as they are.
    """
    summary, _, details = description.partition("\n")
    return App(
        name=name,
        help=summary,
        help_epilogue=details.strip("\n") or None,
        help_format="plaintext",
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
        **options,
    )


def with_flags(settings_class: type, run: Callable[..., Any]) -> Callable[..., Any]:
    """A command of cyclopts: `run` with the flags of a settings dataclass.

    `run` has positional parameters of its own or none, and `**given`, the settings that
    the command line gives, and no others. `batch_size: int` becomes `--batch-size INT`,
    `jit: bool` becomes `--jit` and `--no-jit`, a `Literal` becomes choices; `X | None`
    is parsed as `X`, and `tuple[X, ...]` as one or more. Of a flag that is given twice
    the last value counts. The fields of the dataclass
    come from `option`. `--help` groups them by the dataclass that declares them, if it
    has a `group`.
    """

    def command(*positional: Any, **given: Any) -> Any:
        return run(*positional, **given)

    *own, _ = inspect.signature(run).parameters.values()
    hints = typing.get_type_hints(settings_class)
    flags = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=Annotated[
                hints[field.name],
                Parameter(help=field.metadata["help"], allow_repeating=True),
                _group(settings_class, field.name),
                _parsing(hints[field.name], field.default),
            ],
        )
        for field in dataclasses.fields(typing.cast(Any, settings_class))
    ]
    vars(command)["__signature__"] = inspect.Signature([*own, *flags])
    command.__annotations__ = {row.name: row.annotation for row in (*own, *flags)}
    command.__name__, command.__doc__ = run.__name__, run.__doc__
    return command


def parse_flags(
    settings_class: type, arguments: Sequence[str] | None, *, description: str
) -> dict[str, Any]:
    """Parses a command line into the settings that it gives, and no others.

    An unknown flag or a wrong value ends the program with code 2 and one line on
    stderr, for an unknown flag with the nearest name.
    """

    def given_flags(**given: Any) -> dict[str, Any]:
        return given

    program = command_app(Path(sys.argv[0]).name, description, version_flags=())
    program.default(with_flags(settings_class, given_flags))
    try:
        given = program(arguments)
    except CycloptsError as error:
        sys.stderr.write(f"error: {error} See --help.\n")
        raise SystemExit(2) from error
    if given is None:  # --help, which is printed
        raise SystemExit(0)
    return given


def flag(name: str) -> str:
    """The flag of a setting: `--batch-size` of `batch_size`."""
    return "--" + name.replace("_", "-")


def flag_names(settings_class: type) -> list[str]:
    """The flags of a settings dataclass, in the order of its fields."""
    fields = dataclasses.fields(typing.cast(Any, settings_class))
    return [flag(field.name) for field in fields]


def make_settings(
    settings_class: type[Settings],
    given: Mapping[str, Any],
    preset: Mapping[str, Any] | None = None,
) -> Settings:
    """Merges given values over those of a preset, and these over the defaults."""
    return settings_class(**{**(preset or {}), **given})


def _group(settings_class: type, name: str) -> Parameter:
    """The heading in `--help`, of the dataclass that declares a field first."""
    declaring = [
        base
        for base in settings_class.__mro__
        if name in inspect.get_annotations(base) and "group" in vars(base)
    ]
    return Parameter(group=vars(declaring[-1])["group"]) if declaring else Parameter()


def _parsing(hint: Any, default: Any) -> Parameter:
    """The form of a flag on the command line: negated, of several values, or plain."""
    kinds = (hint,)
    # `int | None` is a UnionType, `Literal[...] | None` a Union.
    if typing.get_origin(hint) in (UnionType, typing.Union):
        kinds = tuple(kind for kind in typing.get_args(hint) if kind is not NoneType)
    if kinds == (bool,):
        return Parameter()
    if typing.get_origin(kinds[0]) is tuple and typing.get_args(kinds[0])[-1] is ...:
        return Parameter(
            negative=(),
            consume_multiple=True,
            show_default=None if default is None else _joined,
            validator=None if default == () else _check_not_empty,
        )
    return Parameter(negative=())


def _check_not_empty(hint: Any, values: Sequence[Any] | None) -> None:
    if values is not None and not values:
        raise ValueError("Give one value or more.")


def _joined(values: Sequence[Any]) -> str:
    return " ".join(map(str, values))
