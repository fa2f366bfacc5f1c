"""Targets of exports: new files, empty folders, and refused ones."""

from pathlib import Path

import pytest

from keras_cait.export.pipeline.output_paths import export_target


def write(path, report=None, **options):
    with export_target(path, suffix=".onnx", **options) as target:
        target.artifact.write_text("new")
        (report or target.report).write_text("{}")


def test_an_existing_file_is_replaced_only_with_overwrite(tmp_path):
    path = tmp_path / "a.onnx"
    write(path)
    with pytest.raises(FileExistsError, match=r"a.onnx is already.*overwrite=True"):
        write(path)
    write(path, overwrite=True)
    assert sorted(found.name for found in tmp_path.iterdir()) == [
        "a.onnx",
        "a.onnx.json",
    ]


def test_a_folder_with_the_name_of_the_file_is_refused(tmp_path):
    (tmp_path / "a.onnx").mkdir()
    with pytest.raises(FileExistsError, match=r"must be new\. .*a folder\."):
        write(tmp_path / "a.onnx", overwrite=True)


def test_only_an_empty_folder_may_exist(tmp_path):
    path = tmp_path / "1"
    path.mkdir()
    with export_target(path) as target:
        target.artifact.mkdir()
        (target.artifact / "file").write_text("new")
        target.report.write_text("{}")
    with (
        pytest.raises(FileExistsError, match="a folder that is not empty"),
        export_target(path),
    ):
        pass


def test_a_failed_report_leaves_no_export(tmp_path):
    path = tmp_path / "new" / "a.onnx"
    with pytest.raises(OSError, match="No space"):
        write(path, report=Path("/dev/full"))  # a disk without room
    assert list(tmp_path.iterdir()) == []


def test_an_existing_report_is_not_replaced(tmp_path):
    (tmp_path / "a.onnx.json").write_text("mine")
    with pytest.raises(FileExistsError, match=r"a.onnx.json is already"):
        write(tmp_path / "a.onnx")
    write(tmp_path / "a.onnx", overwrite=True)
    (tmp_path / "b.onnx.json").mkdir()
    with pytest.raises(FileExistsError, match=r"b.onnx.json is a folder"):
        write(tmp_path / "b.onnx")


def test_a_target_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        OSError, match=r"Nothing can be written at .*file/a.onnx: .*Name a target"
    ):
        write(tmp_path / "file" / "a.onnx")
