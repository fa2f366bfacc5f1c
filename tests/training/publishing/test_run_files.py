"""Files of a run that are published."""

import pytest

from keras_cait.cli.app import main
from keras_cait.training.publishing.run_files import saved_card, saved_model


def test_the_distilled_model_is_published_not_its_teacher(tmp_path):
    for name in ("teacher.keras", "student_ema.keras", "student.keras"):
        (tmp_path / name).touch()
    assert saved_model(tmp_path).name == "student.keras"
    with pytest.raises(FileNotFoundError, match="with --resume writes it"):
        saved_card(tmp_path)


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_a_folder_without_a_run_is_refused(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["push", folder, "hf://owner/name"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: Expected the folder of a finished run")
    assert f"Received: {folder}, which has none" in line
