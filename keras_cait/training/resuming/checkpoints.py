"""States of a training on disk: each whole or not there, and the one before kept."""

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

_VERSION = "1"  # of the layout of a file
_KEPT = 2  # the newest, and the one before it in case that is damaged


@dataclass(frozen=True, kw_only=True)
class State:
    """Where a training was.

    Attributes:
        step: Batches that it had seen.
        values: Of its variables, by name.
        rows: The log: a row for each finished epoch.
        is_done: Whether the training is finished.
        results: What was measured after it, for a finished one.
    """

    step: int
    values: dict[str, np.ndarray]
    rows: list[dict[str, Any]]
    is_done: bool = False
    results: dict[str, Any] = field(default_factory=dict)


class Checkpoints:
    """The last two states of one training, in a folder.

    A safetensors file a state, which appears when it is complete: the variables, and
    in its metadata the other attributes as JSON, the SHA-256 of both and the version
    of this layout.

    Args:
        folder: Where; made when the first state is written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     checkpoints = Checkpoints(Path(folder))
        ...     for step in (1, 2, 3):
        ...         values = {"weight": np.full(2, step)}
        ...         _ = checkpoints.write(State(step=step, values=values, rows=[]))
        ...     checkpoints.newest().step, len(checkpoints.paths())
        (3, 2)

    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def paths(self) -> list[Path]:
        """The files, the newest first."""
        return sorted(self.folder.glob("step-*.safetensors"), reverse=True)

    def write(self, state: State) -> Path:
        """Adds a state, and removes those before the last two.

        Raises:
            OSError: If it cannot be written; those that are there stay.

        """
        path = self._path(state.step)
        about = json.dumps(
            {"rows": state.rows, "done": state.is_done, "more": state.results}
        )
        metadata = {
            "about": about,
            "sha256": _digest(state.values, about),
            "version": _VERSION,
        }
        try:
            with replace_when_written(path) as temporary:
                save_file(state.values, temporary, metadata)
                with open(temporary, "rb") as file:
                    os.fsync(file.fileno())  # else a power cut may leave the name alone
        except (OSError, SafetensorError) as error:
            raise not_written(path, error) from error
        for old in self.paths()[_KEPT:]:
            old.unlink()
        return path

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step:010d}.safetensors"

    def newest(self) -> State | None:
        """The newest state that can be read; None if none was written.

        Warns:
            UserWarning: If a newer one cannot be read.

        Raises:
            ValueError: If there are states and none can be read.

        """
        refused: list[str] = []
        for path in self.paths():
            try:
                state = _read(path)
            except (SafetensorError, ValueError, TypeError, OSError) as error:
                refused.append(f"{path} ({error})")
                continue
            for each in refused:
                warnings.warn(
                    f"A checkpoint cannot be read: {each}. Resuming from step "
                    f"{state.step}, the one before.",
                    stacklevel=2,
                )
            return state
        if refused:
            raise ValueError(
                "A run must have a readable checkpoint to resume from. Received: "
                f"{'; '.join(refused)}. Restore a copy of one, move the run's folder "
                "away, or replace the run with --overwrite."
            )
        return None

    def remove(self, step: int) -> None:
        """Removes the state of a step, if it is there and not the only one."""
        if len(self.paths()) > 1:
            self._path(step).unlink(missing_ok=True)

    def clear(self, *, but: Path | None = None) -> None:
        """Removes the states, but for one."""
        for path in self.paths():
            if path != but:
                path.unlink()


def check_disk_space(folder: Path, size: int) -> None:
    """Refuses a folder on whose disk the states do not fit.

    Args:
        folder: Where they are to be written.
        size: Of one state, in bytes.

    Raises:
        OSError: If there is less room than for one more than are kept, less those
            that are there.

    """
    free = shutil.disk_usage(folder).free
    number = max(_KEPT + 1 - len(Checkpoints(folder).paths()), 1)
    needed = number * size
    if needed > free:
        raise OSError(
            f"{number} more checkpoint(s) take {needed / 1e6:.0f} MB. Received: "
            f"{folder}, where {free / 1e6:.0f} MB are free. Make room and start again "
            "with --resume, or choose another folder."
        )


def not_written(path: Path, error: Exception) -> OSError:
    """The error for a file of a run that cannot be written, on a full disk mostly."""
    why = getattr(error, "strerror", None) or error
    return OSError(
        f"A run must be able to write its files. Received: {path} ({why}). Make room, "
        "or mend what is wrong there, and start again with --resume."
    )


def _read(path: Path) -> State:
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        if not {"about", "sha256"} <= set(metadata):
            raise ValueError("it has no metadata of a checkpoint")
        values = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if metadata["sha256"] != _digest(values, metadata["about"]):
        raise ValueError("its content is not what was written")
    version = metadata.get("version", _VERSION)  # the first files had none
    about = json.loads(metadata["about"])
    if version != _VERSION or not _is_known(about):
        raise ValueError("it was written by another version of keras_cait")
    return State(
        step=int(path.stem.removeprefix("step-")),
        values=values,
        rows=about["rows"],
        is_done=about["done"],
        results=about["more"],
    )


def _is_known(about: Any) -> bool:
    """Whether the JSON in a file's metadata has the fields that `write` gives it."""
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
