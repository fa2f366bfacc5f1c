"""The file of a picture, checked before a model is loaded."""

from pathlib import Path

_SUFFIXES = (".png", ".svg", ".pdf")


def check_picture(output: Path, *, overwrite: bool) -> None:
    """Raises if the file exists, or its name does not end as that of a picture."""
    if output.suffix not in _SUFFIXES:
        raise ValueError(
            f"`output` must end in {', '.join(_SUFFIXES)}. Received: {output}"
        )
    if output.exists() and not overwrite:
        raise FileExistsError(
            f"The picture must be new. Received: {output}, which exists. Name another "
            "one, or pass --overwrite."
        )
