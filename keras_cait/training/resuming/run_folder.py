"""The folder a run leaves behind: never half a file, never over another run."""

import contextlib
import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import keras
from filelock import FileLock, Timeout

from keras_cait.files import replace_when_written, sweep_leftovers
from keras_cait.training.resuming.checkpoints import not_written
from keras_cait.training.settings.configuration import differences

# What may change in a run that goes on: where it computes and what it keeps, and the
# names of what is compared otherwise.
_FREE = {
    "checkpoint_steps",
    "data_dir",
    "jit",
    "output",
    "overwrite",
    "preset",
    "resume",
    "smoke",
    "strategy",
    "teacher_logits",
    "worker_timeout",
}


class RunFolder:
    """Writes the results of one run.

    Args:
        path: The folder; made when the first file is written.
        names: The files, and folders of files, that a run writes.
        overwrite: Whether a run that is there already may be replaced.
        resume: Whether it goes on.
        writes: Whether this process writes it; False where another worker does, and
            then nothing here does anything.

    Raises:
        FileExistsError: If the folder holds a run that neither may be replaced nor
            can go on.

    """

    def __init__(
        self,
        path: Path,
        names: Iterable[str],
        *,
        overwrite: bool = False,
        resume: bool = False,
        writes: bool = True,
    ) -> None:
        self.path, self._writes = Path(path), writes
        self.names = (*names, "checkpoints")
        found = [name for name in self.names if os.path.exists(self.path / name)]
        self._goes_on = resume and "config.json" in found
        refused = found and not self._has_done_nothing(found)
        if writes and refused and not overwrite and not self._goes_on:
            raise FileExistsError(
                "The output folder must not hold a run already. Received: "
                f"{path} with {', '.join(found)}. Choose another folder, replace that "
                "run with --overwrite, or go on with it with --resume."
            )

    def _has_done_nothing(self, found: list[str]) -> bool:
        """Whether it is a run that ended before its first checkpoint, for lack of room.

        Other programs have a config.json too, which must not be replaced.
        """
        if not {"config.json"} <= set(found) <= {"config.json", "checkpoints"}:
            return False
        with contextlib.suppress(ValueError, OSError):
            is_settings = set(self._settings_there()) >= _FREE
            return is_settings and not any(self.path.glob("checkpoints/*/step-*"))
        return False

    def start(self, settings: str) -> None:
        """Makes the folder this run's: as the same run has left it, or empty.

        Args:
            settings: What the run follows, as JSON; kept as config.json.

        Raises:
            ValueError: If a run is to go on that follows other settings.
            OSError: If nothing can be written there, or another run does.

        """
        if not self._writes:
            return
        self._lock()
        if self._goes_on:
            self._check_same(settings)
        else:
            self.clear()
            self.write_text("config.json", settings)

    def _lock(self) -> None:
        """Keeps other processes out, until this one ends in whatever way.

        Removes what processes that were killed while they wrote have left.
        """
        self._held = FileLock(self.path / ".lock", is_singleton=True)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._held.acquire(timeout=0)
        except Timeout as error:
            raise FileExistsError(
                "The output folder must be one run's. Received: "
                f"{self.path}, which another process writes just now. Wait until it "
                "ends, or choose another folder."
            ) from error
        except OSError as error:
            raise type(error)(
                "The output folder must be one that can be written. Received: "
                f"{self.path} ({error.strerror}). Choose another one with --output, or "
                "make it writable."
            ) from error
        for folder in (self.path, *self.path.glob("checkpoints/*/")):
            sweep_leftovers(folder)

    def _check_same(self, settings: str) -> None:
        differ = differences(_compared(self._settings_there()), followed(settings))
        if differ:
            raise ValueError(
                f"The run in {self.path} follows other settings:\n  "
                + "\n  ".join(differ)
                + "\nGo on with the same ones, or choose another folder."
            )

    def _settings_there(self) -> dict[str, Any]:
        """What the run that is there follows."""
        path = self.path / "config.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(found, dict):
                raise ValueError(f"it holds {found!r:.60}, not an object")
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"A run to resume must have its settings as JSON in {path}. Received: "
                f"a file that cannot be read ({error}). Restore it, choose another "
                "folder, or replace the run with --overwrite."
            ) from None
        return found

    def clear(self) -> None:
        """Removes the run that is there, so that no file of it stays behind."""
        for name in self.names if self._writes else ():
            path = Path(self.path, name)
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> None:
        """Writes one file whole."""
        self._write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write_model(self, name: str, model: keras.Model) -> None:
        """Saves a model whole."""
        self._write(name, model.save)

    def write_table(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Writes rows as CSV; a column a key, in the order they appear."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.write_text(name, text.getvalue())

    def write_figure(self, name: str, figure: Any) -> None:
        """Writes a matplotlib figure whole."""
        self._write(name, partial(figure.savefig, dpi=120, bbox_inches="tight"))

    def _write(self, name: str, write: Callable[[Path], Any]) -> None:
        if not self._writes:
            return
        try:
            with replace_when_written(self.path / name) as temporary:
                write(temporary)
        except OSError as error:
            raise not_written(self.path / name, error) from error


def followed(settings: str) -> dict[str, Any]:
    """What has to be the same in a run that goes on, and on all of its workers."""
    return _compared(json.loads(settings))


def _compared(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in _FREE}
