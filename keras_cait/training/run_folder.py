"""The folder a run leaves behind: never half a file, never over another run."""

import csv
import io
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras

from keras_cait.files import replace_when_written


class RunFolder:
    """Writes the results of one run.

    Args:
        path: The folder; made when the first file is written.
        names: The files, and folders of files, that a run writes.
        overwrite: Whether a run that is there already may be replaced.

    Raises:
        FileExistsError: If the folder holds a run and `overwrite` is False.

    """

    def __init__(self, path: Path, names: Iterable[str], *, overwrite: bool) -> None:
        self.path = Path(path)
        self.names = tuple(names)
        found = [name for name in self.names if Path(path, name).exists()]
        if found and not overwrite:
            raise FileExistsError(
                "The output folder must not hold a run already. Received: "
                f"{path} with {', '.join(found)}. Choose another folder, or replace "
                "that run with --overwrite."
            )

    def clear(self) -> None:
        """Removes the run that is there, so that no file of it stays behind."""
        for name in self.names:
            path = Path(self.path, name)
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> None:
        """Writes one file whole."""
        with replace_when_written(self.path / name) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def write_model(self, name: str, model: keras.Model) -> None:
        """Saves a model whole."""
        with replace_when_written(self.path / name) as temporary:
            model.save(temporary)

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
        with replace_when_written(self.path / name) as temporary:
            figure.savefig(temporary, dpi=120, bbox_inches="tight")
