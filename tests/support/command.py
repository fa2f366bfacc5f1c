"""Processes of Python that find the package: a script, or the command `keras-cait`."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.source_tree import ROOT

COMMAND = (
    "-c",
    "import sys, keras_cait_command; sys.exit(keras_cait_command.main())",
)
"""Arguments of Python that run `keras-cait`, as its console script does."""


def with_package(**environment: str) -> dict[str, str]:
    """The environment of a process that imports the package from the source tree."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **environment}


def run_python(
    *arguments: object, cwd: Path | str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs Python to its end, with its output captured."""
    command: Sequence[str] = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env=with_package(**environment),
        capture_output=True,
        text=True,
    )
