"""The README's lines of Python run as they stand."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_ten_lines_build_distil_save_and_predict(run, tmp_path, monkeypatch, capsys):
    """After `make distill`, whose teacher they take; here after a small run of it."""
    shutil.copytree(run.folder / "build", tmp_path / "build")
    monkeypatch.chdir(tmp_path)
    code = BLOCKS[0]
    statements = [line for line in code.splitlines() if line and line[0] != " "]
    assert len(statements) == 10
    names: dict = {}
    exec(code, names)
    assert (tmp_path / "student.keras").is_file()
    assert names["images"].max() == pytest.approx(255)
    assert "[0 1 2 3 4]" in capsys.readouterr().out
    predictions = names["student"].predict(names["images"], verbose=0)
    assert np.mean(predictions.argmax(-1) == names["labels"]) > 0.5


def test_the_lines_on_models_run(tmp_path, monkeypatch):
    import keras_cait

    monkeypatch.chdir(tmp_path)
    source = keras_cait.DeiT_S(weights=None)
    keras_cait.save_timm_weights(source, "deit_small.safetensors")
    images = np.zeros((1, 224, 320, 3), "float32")
    names: dict = {"keras_cait": keras_cait, "images": images}
    exec(BLOCKS[1], names)
    assert names["model"].output_shape == (None, 37)
    assert names["maps"]["block_0_attention"].shape == (1, 6, 281, 281)
    assert (tmp_path / "mine.safetensors").is_file()
