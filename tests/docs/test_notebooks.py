"""Notebooks: short cells without outputs, and every cell runs."""

import shutil

import nbformat
import pytest
from nbclient import NotebookClient

from keras_cait.export.web.runtime import PACKAGE, pinned_version
from tests.support.export.page_export import runtime_folder
from tests.support.source_tree import ROOT

FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
LONGEST_CELL = 30  # lines


def cells_of(name, kind):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def test_the_page_lists_every_notebook():
    page = (FOLDER / "README.md").read_text()
    assert len(NOTEBOOKS) == 3
    assert [name for name in NOTEBOOKS if f"({name})" not in page] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_cells_are_short_and_have_no_outputs(name):
    nbformat.validate(nbformat.read(FOLDER / name, as_version=4))
    code = cells_of(name, "code")
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert max(len(cell.source.splitlines()) for cell in code) <= LONGEST_CELL
    assert len(cells_of(name, "markdown")) >= len(code) // 2


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_cell_runs(name, tmp_path, monkeypatch):
    """As in Jupyter, in a folder of its own; an error of a cell is raised here."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    # The page's runtime is there, so that npm installs nothing; no browser runs it.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    runtime_folder(tmp_path / "cache/keras_cait" / f"{PACKAGE}-{pinned_version()}")
    shutil.copy(FOLDER / name, tmp_path)
    notebook = nbformat.read(tmp_path / name, as_version=4)
    NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/png" in output.get("data", {}) for output in outputs)
