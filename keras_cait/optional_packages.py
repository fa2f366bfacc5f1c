"""Import of packages that only some functions need."""

import importlib
from types import ModuleType


def import_optional(name: str, extra: str, *, purpose: str = "") -> ModuleType:
    """Imports a module, or raises an error with the command that installs it.

    Args:
        name: The module, for example "onnx.helper".
        extra: The optional dependencies of keras-cait that the package belongs to:
            "export", "recipes" or "torch".
        purpose: Reason for the import in the error message, for example
            "to read model.pth".

    Raises:
        ModuleNotFoundError: If the package is not installed.

    Example:
        >>> import_optional("json", "export").loads("[1]")
        [1]

    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # the package is installed and lacks one of its own dependencies
        raise ModuleNotFoundError(
            f"The package {package} is required{purpose and ' ' + purpose}, but is not "
            f"installed. Install it: pip install 'keras-cait[{extra}]'",
            name=error.name,
        ) from error
