"""Packages that some exports need and the others do not."""

import importlib
from types import ModuleType


def needed(name: str) -> ModuleType:
    """Imports a package, or says how it is installed.

    Args:
        name: For example "onnxruntime".

    Raises:
        ModuleNotFoundError: If it is not there.

    Example:
        >>> needed("json").loads("[1]")
        [1]

    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != name.partition(".")[0]:
            raise  # something that it needs itself
        raise ModuleNotFoundError(
            f"This export needs {name}, which is not installed. Install what exports "
            "need: pip install 'keras-cait[export]'",
            name=error.name,
        ) from error
