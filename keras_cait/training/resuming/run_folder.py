"""Folder of a run: files are written atomically, and no other run is overwritten."""

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
from keras_cait.training.resuming.checkpoints import unwritable_file
from keras_cait.training.settings.serialization import differences

# Settings that a resumed run may change. The rest decides its results.
_MAY_CHANGE = {
    *("checkpoint_steps", "data_dir", "jit", "output", "overwrite", "preset"),
    *("resume", "smoke", "strategy", "teacher_logits", "worker_timeout"),
}


class RunFolder:
    """Folder of a run: files are written atomically.

    `names` are the files and subfolders that the run writes. Raises `FileExistsError`
    if the folder holds a run that is neither replaced nor resumed. Of many workers one
    `writes`; the others call the same methods, which then do nothing.
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
        self._resumes = resume and "config.json" in found
        is_taken = found and not self._has_no_checkpoint(found)
        if writes and is_taken and not overwrite and not self._resumes:
            raise FileExistsError(
                "The output folder must not hold a run already. Received: "
                f"{path} with {', '.join(found)}. Choose another folder, replace that "
                "run with --overwrite, or go on with it with --resume."
            )

    def _has_no_checkpoint(self, found: list[str]) -> bool:
        """Whether a run ended here before its first checkpoint, as on a full disk.

        Other programs write a config.json too, which must not be replaced.
        """
        if not {"config.json"} <= set(found) <= {"config.json", "checkpoints"}:
            return False
        with contextlib.suppress(ValueError, OSError):
            is_settings = set(self._stored_settings()) >= _MAY_CHANGE
            return is_settings and not any(self.path.glob("checkpoints/*/step-*"))
        return False

    def start(self, settings: str) -> None:
        """Locks the folder, and empties it unless the run is resumed.

        `settings` are all settings as JSON, for config.json. Raises `ValueError` if the
        run to resume has others.
        """
        if not self._writes:
            return
        self._lock()
        if not self._resumes:
            self.clear()
            self.write_text("config.json", settings)
            return
        stored, given = self._stored_settings(), json.loads(settings)
        differ = differences(fixed_settings(stored), fixed_settings(given))
        if differ:
            raise ValueError(
                f"The run in {self.path} has other settings:\n  "
                + "\n  ".join(differ)
                + "\nResume with the same ones, or choose another folder."
            )

    def _lock(self) -> None:
        """Locks the folder, and removes temporary files of killed processes."""
        self._file_lock = FileLock(self.path / ".lock", is_singleton=True)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._file_lock.acquire(timeout=0)
        except Timeout as error:
            raise FileExistsError(
                f"The output folder must belong to one run. Received: {self.path}, "
                "which another process writes just now. Wait until it ends, or choose "
                "another folder."
            ) from error
        except OSError as error:
            raise type(error)(
                f"The output folder must be writable. Received: {self.path} "
                f"({error.strerror}). Choose another one with --output, or make it "
                "writable."
            ) from error
        for folder in (self.path, *self.path.glob("checkpoints/*/")):
            sweep_leftovers(folder)

    def _stored_settings(self) -> dict[str, Any]:
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
        """Removes all files of the run in the folder."""
        for name in self.names if self._writes else ():
            path = Path(self.path, name)
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> None:
        """Writes a text file."""
        self._write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def write_model(self, name: str, model: keras.Model) -> None:
        """Saves a model."""
        self._write(name, model.save)

    def write_table(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Writes rows as CSV, with a column for each key in order of appearance."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.write_text(name, text.getvalue())

    def write_figure(self, name: str, figure: Any) -> None:
        """Saves a matplotlib figure."""
        self._write(name, partial(figure.savefig, dpi=120, bbox_inches="tight"))

    def _write(self, name: str, write: Callable[[Path], Any]) -> None:
        if not self._writes:
            return
        try:
            with replace_when_written(self.path / name) as temporary:
                write(temporary)
        except OSError as error:
            raise unwritable_file(self.path / name, error) from error


def fixed_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that must be the same in a resumed run, and on all workers."""
    return {name: settings[name] for name in settings if name not in _MAY_CHANGE}
