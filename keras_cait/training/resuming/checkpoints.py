"""Checkpoint files of a training: written atomically, the last two of them kept."""

import hashlib
import json
import os
import shutil
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from keras_cait.files import replace_when_written

_VERSION = "1"  # of the file format
_KEPT = 2  # the newest one may be damaged


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """State of a training after a step."""

    step: int  # number of batches that were done
    values: dict[str, np.ndarray]  # of the variables, by name
    rows: list[dict[str, Any]]  # log: a row for each finished epoch
    is_done: bool = False
    results: dict[str, Any] = field(default_factory=dict)  # of a finished training


class CheckpointFolder:
    """The last two checkpoints of one training, in a folder.

    A checkpoint is a safetensors file of the variables. Its metadata hold the other
    attributes as JSON, the SHA-256 of both, and the version of the format.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder)

    def paths(self) -> list[Path]:
        """The files, newest first."""
        return sorted(self.path.glob("step-*.safetensors"), reverse=True)

    def write(self, checkpoint: Checkpoint) -> Path:
        """Writes a checkpoint, and removes those before the last two.

        If that fails, raises `OSError`; the existing files stay.
        """
        path, values = self._file(checkpoint.step), checkpoint.values
        about = {"rows": checkpoint.rows, "done": checkpoint.is_done}
        text = json.dumps({**about, "more": checkpoint.results})
        digest = _digest(values, text)
        metadata = {"about": text, "sha256": digest, "version": _VERSION}
        try:
            with replace_when_written(path) as temporary:
                save_file(values, temporary, metadata)
                with open(temporary, "rb") as file:
                    os.fsync(file.fileno())  # else a power cut may leave it empty
        except (OSError, SafetensorError) as error:
            raise unwritable_file(path, error) from error
        for old in self.paths()[_KEPT:]:
            old.unlink()
        return path

    def _file(self, step: int) -> Path:
        return self.path / f"step-{step:010d}.safetensors"

    def newest(self) -> Checkpoint | None:
        """The newest readable checkpoint; None if there is no file.

        Warns of newer ones that cannot be read; raises `ValueError` if none can.
        """
        unreadable: list[str] = []
        for path in self.paths():
            try:
                checkpoint = _read(path)
            except (SafetensorError, ValueError, TypeError, OSError) as error:
                unreadable.append(f"{path} ({error})")
                continue
            for each in unreadable:
                advice = f"Resuming from step {checkpoint.step}, the one before."
                warnings.warn(
                    f"A checkpoint cannot be read: {each}. {advice}", stacklevel=2
                )
            return checkpoint
        if unreadable:
            raise ValueError(
                "A run must have a readable checkpoint to resume from. Received: "
                f"{'; '.join(unreadable)}. Restore a copy of one, move the run's "
                "folder away, or replace the run with --overwrite."
            )
        return None

    def check_disk_space(self, size: int) -> None:
        """Raises OSError if the disk has no room for checkpoints of `size` bytes.

        While one is written, the last two exist too.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.path).free
        number = max(_KEPT + 1 - len(self.paths()), 1)
        if number * size > free:
            raise OSError(
                f"{number} more checkpoint(s) take {number * size / 1e6:.0f} MB. "
                f"Received: {self.path}, where {free / 1e6:.0f} MB are free. Make room "
                "and start again with --resume, or choose another folder."
            )

    def remove(self, step: int) -> None:
        """Removes the checkpoint of a step, if it exists and is not the only one."""
        if len(self.paths()) > 1:
            self._file(step).unlink(missing_ok=True)

    def clear(self, *, but: Path | None = None) -> None:
        """Removes all checkpoints except one."""
        for path in self.paths():
            if path != but:
                path.unlink()


def unwritable_file(path: Path, error: Exception) -> OSError:
    """The error for a file that cannot be written, mostly because the disk is full."""
    why = getattr(error, "strerror", None) or error
    return OSError(
        f"A run must be able to write its files. Received: {path} ({why}). Make room, "
        "or repair the folder, and start again with --resume."
    )


def _read(path: Path) -> Checkpoint:
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        if not {"about", "sha256"} <= set(metadata):
            raise ValueError("it has no metadata of a checkpoint")
        values = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if metadata["sha256"] != _digest(values, metadata["about"]):
        raise ValueError("its content has changed since it was written")
    version = metadata.get("version", _VERSION)  # the first files had none
    about = json.loads(metadata["about"])
    if version != _VERSION or not _is_known(about):
        raise ValueError("it was written by another version of keras_cait")
    return Checkpoint(
        step=int(path.stem.removeprefix("step-")),
        values=values,
        rows=about["rows"],
        is_done=about["done"],
        results=about["more"],
    )


def _is_known(about: Any) -> bool:
    """Whether the JSON in a file's metadata has the fields that `write` stores."""
    kinds = {"rows": list, "done": bool, "more": dict}
    return (
        isinstance(about, dict)
        and all(isinstance(about.get(name), kind) for name, kind in kinds.items())
        and all(isinstance(row, dict) for row in about["rows"])
    )


def _digest(values: dict[str, np.ndarray], about: str) -> str:
    digest = hashlib.sha256(about.encode())
    for name in sorted(values):
        value = values[name]
        digest.update(f"{name} {value.shape} {value.dtype}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
