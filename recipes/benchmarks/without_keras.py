"""Files of the package that need no Keras, for environments without it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_PACKAGE = Path(__file__).resolve().parents[2] / "keras_cait"


def import_file(name: str) -> ModuleType:
    """Imports a file of the package by its path: importing keras_cait imports Keras."""
    path = _PACKAGE / name
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"No Python file at {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
