"""Starts TensorFlow without its log, for programs that are run as files.

They import this first: keras_cait itself would import TensorFlow, hence its file alone.
"""

import importlib.util
import runpy
from pathlib import Path

_found = importlib.util.find_spec("keras_cait")
if _found is not None and _found.origin is not None:  # else the program says it
    runpy.run_path(
        str(Path(_found.origin).with_name("command_line.py")), run_name="__main__"
    )
