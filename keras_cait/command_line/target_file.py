"""A file that a command writes, checked before a model is loaded."""

from collections.abc import Sequence
from pathlib import Path

PICTURES = (".png", ".svg", ".pdf")
CHECKPOINTS = (".keras", ".weights.h5", ".safetensors", ".pth")


def check_target_file(path: Path, suffixes: Sequence[str], *, overwrite: bool) -> None:
    """Raises if the file exists, or its name ends in none of the suffixes."""
    if not path.name.endswith(tuple(suffixes)):
        raise ValueError(
            f"The name of the file to write must end in {', '.join(suffixes)}. "
            f"Received: {path}"
        )
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"The file to write must be new. Received: {path}, which exists. Name "
            "another one, or pass --overwrite."
        )
