"""Main function of the benchmarks: flags, results as JSON and exit code."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from keras_cait.command_line.exit_code import exit_code_of
from keras_cait.command_line.flags import (
    flag_names,
    make_settings,
    parse_flags,
)

Settings = TypeVar("Settings")


def run_program(
    settings_class: type[Settings],
    measure: Callable[[Settings], dict[str, Any]],
    arguments: Sequence[str] | None,
    description: str | None,
) -> int:
    """Reads the flags, measures and prints the results; returns the exit code.

    `arguments` are None for `sys.argv`.
    """
    given = parse_flags(settings_class, arguments, description=description or "")
    return run_measurement(settings_class, measure, given)


def run_measurement(
    settings_class: type[Settings],
    measure: Callable[[Settings], dict[str, Any]],
    given: Mapping[str, Any],
) -> int:
    """Measures with the settings of a command line; returns the exit code.

    The last line of the standard output is a JSON object.
    """
    return exit_code_of(
        lambda: json.dumps(measure(make_settings(settings_class, given))),
        flags=flag_names(settings_class),
    )
