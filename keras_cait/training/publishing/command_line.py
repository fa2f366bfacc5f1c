"""The command line of a run, as its model card shows it."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def command_line(program: str, given: Mapping[str, Any]) -> str:
    """The command of a run, from the settings that its user gave.

    Of an absolute path only the last part is left, since cards are published.

    Example:
        >>> command_line("keras-cait train", {"data_dir": Path("/me/a b"), "epochs": 2})
        "keras-cait train --data-dir 'a b' --epochs 2"
        >>> command_line("keras-cait train", {"smoke": True, "flip": False})
        'keras-cait train --smoke --no-flip'

    """
    words = [program]
    for name, value in given.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            values = value if isinstance(value, tuple) else (value,)
            words += [f"--{flag}", *(shlex.quote(without_folder(x)) for x in values)]
    return " ".join(words)


def without_folder(value: Any) -> str:
    """A value as text; of an absolute path its last part.

    Example:
        >>> without_folder(Path("/home/me/teacher.keras")), without_folder("hf://a/b")
        ('teacher.keras', 'hf://a/b')

    """
    return Path(value).name if os.path.isabs(str(value)) else str(value)
