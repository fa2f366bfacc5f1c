"""A run's folder is refused if it holds another run, and never half written."""

import csv

import keras
import pytest
from filelock import FileLock

from keras_cait.training.resuming.run_folder import RunFolder
from keras_cait.training.settings.run_settings import RunSettings
from keras_cait.training.settings.serialization import to_json

NAMES = ("a.txt", "b.csv", "config.json", "model.keras")


def test_a_folder_that_holds_a_run_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("kept")
    with pytest.raises(FileExistsError, match=r"a\.txt.*--overwrite"):
        RunFolder(tmp_path, NAMES, overwrite=False)
    assert (tmp_path / "a.txt").read_text() == "kept"


def test_a_folder_with_other_files_is_accepted(tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    RunFolder(tmp_path, NAMES, overwrite=False).write_text("a.txt", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "notes.md"]


def test_overwrite_removes_the_old_run_and_nothing_else(tmp_path):
    for name in ("a.txt", "b.csv", "notes.md"):
        (tmp_path / name).write_text("old")
    folder = RunFolder(tmp_path, NAMES, overwrite=True)
    assert (tmp_path / "a.txt").exists()
    folder.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]


def test_tables_and_models_are_written_and_read(tmp_path):
    folder = RunFolder(tmp_path / "new", NAMES, overwrite=False)
    folder.write_table("b.csv", [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "extra": 3}])
    with open(tmp_path / "new" / "b.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"epoch": "1", "loss": "0.5", "extra": ""}
    assert rows[1] == {"epoch": "2", "loss": "", "extra": "3"}
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    folder.write_model("model.keras", model)
    again = keras.models.load_model(tmp_path / "new" / "model.keras")
    assert again.count_params() == 3


def test_a_failed_write_leaves_the_old_file(tmp_path):
    (tmp_path / "b.csv").write_text("old")
    folder = RunFolder(tmp_path, NAMES, overwrite=True)

    class Unwritable:
        def savefig(self, path, **_):
            path.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        folder.write_figure("b.csv", Unwritable())
    assert (tmp_path / "b.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]


def test_a_folder_that_another_process_writes_is_refused(tmp_path):
    taken = pytest.raises(FileExistsError, match="another process writes just now")
    with FileLock(tmp_path / ".lock"), taken:
        RunFolder(tmp_path, NAMES).start("{}")
    RunFolder(tmp_path, NAMES).start("{}")


def test_a_run_is_resumed_with_the_same_settings_only(tmp_path):
    RunFolder(tmp_path, NAMES).start('{"seed": 0, "jit": null, "output": "a"}')
    (tmp_path / "a.txt").write_text("kept")
    RunFolder(tmp_path, NAMES, resume=True).start(
        '{"seed": 0, "jit": true, "output": "b"}'
    )
    assert (tmp_path / "a.txt").read_text() == "kept"
    with pytest.raises(ValueError, match="seed: 0 there, 1 here"):
        RunFolder(tmp_path, NAMES, resume=True).start('{"seed": 1}')


def test_resume_in_an_empty_folder_starts_a_run(tmp_path):
    RunFolder(tmp_path / "new", NAMES, resume=True).start("{}")
    assert (tmp_path / "new" / "config.json").read_text() == "{}"


def test_files_without_settings_cannot_be_resumed(tmp_path):
    (tmp_path / "a.txt").write_text("kept")
    with pytest.raises(FileExistsError, match=r"a\.txt.*--resume"):
        RunFolder(tmp_path, NAMES, resume=True)


def test_a_run_without_a_checkpoint_is_replaced(tmp_path):
    """One that was refused for lack of space, say, once there is some."""
    before, after = (to_json(vars(RunSettings(seed=seed))) for seed in (0, 1))
    RunFolder(tmp_path, NAMES).start(before)
    checkpoints = tmp_path / "checkpoints" / "01-student"
    checkpoints.mkdir(parents=True)
    RunFolder(tmp_path, NAMES).start(after)
    assert (tmp_path / "config.json").read_text() == after
    checkpoints.mkdir(parents=True)
    (checkpoints / "step-0000000001.safetensors").write_text("precious")
    with pytest.raises(FileExistsError, match=r"config\.json, checkpoints.*--resume"):
        RunFolder(tmp_path, NAMES)


@pytest.mark.parametrize("content", ['{"model_type": "vit"}', "[]", "not JSON"])
def test_the_settings_of_another_program_are_not_replaced(content, tmp_path):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(FileExistsError, match=r"config\.json.*--overwrite"):
        RunFolder(tmp_path, NAMES)
    assert (tmp_path / "config.json").read_text() == content


@pytest.mark.parametrize(
    "content",
    [
        *(b"[]", b"1", b"null", b'"text"', b'[["seed", 0]]'),
        *(b"", b"{", b"not JSON", b"\xff\xfe", b"[" * 100_000),
    ],
)
def test_settings_that_cannot_be_read_are_refused(content, tmp_path):
    (tmp_path / "config.json").write_bytes(content)
    (tmp_path / "model.keras").write_text("precious")
    with pytest.raises(
        ValueError, match=r"JSON in .*config\.json\. Received: .*\(.*--"
    ):
        RunFolder(tmp_path, NAMES, resume=True).start("{}")
    assert (tmp_path / "config.json").read_bytes() == content
    assert (tmp_path / "model.keras").read_text() == "precious"


@pytest.mark.parametrize("path", ["/proc/nowhere", "file/run", "file", "a" * 300])
def test_a_folder_that_cannot_be_made_is_refused(path, tmp_path):
    (tmp_path / "file").write_text("")
    expected = rf"must be writable\. Received: .*{path} \(.+\)\. Choose"
    with pytest.raises(OSError, match=expected):
        RunFolder(tmp_path / path, NAMES).start("{}")


def test_temporary_files_of_killed_processes_are_removed(tmp_path):
    """While they wrote a file of the run, and a checkpoint."""
    for parent in (tmp_path, tmp_path / "checkpoints" / "01-student"):
        leftover = parent / ".writing-of_a_killed_process"
        leftover.mkdir(parents=True)
        (leftover / ".lock").touch()
        (leftover / "step-0000000001.safetensors").write_text("half")
    (tmp_path / "config.json").write_text("{}")
    RunFolder(tmp_path, NAMES, resume=True).start("{}")
    found = {path.name for path in tmp_path.rglob("*")} - {".lock"}
    assert found == {"checkpoints", "01-student", "config.json"}
