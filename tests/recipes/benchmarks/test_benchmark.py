"""Benchmarks print plausible rates, and one line for wrong flags."""

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
from benchmark import main, write_photographs  # pyright: ignore[reportMissingImports]

from keras_cait.data.images.decoding import image_size
from tests.support.data.pictures import results_of

PROGRAM = Path(__file__).parents[3] / "recipes" / "benchmarks" / "benchmark.py"


def test_data_prints_images_per_second_and_core(capsys):
    few = ["--images", "8", "--batch-size", "4", "--passes", "1"]
    assert main(["data", *few, "--image-size", "32"]) == 0
    results = results_of(capsys.readouterr().out)
    assert results["images"] == 8
    assert 0 < results["keras_cait_median"] <= results["keras_cait_best"]


@pytest.mark.slow
def test_training_prints_images_per_second_for_each_number_of_devices():
    """As a person runs it: this process's TensorFlow has two devices already."""
    few = ["--limit", "32", "--batch-size", "6", "--epochs", "2", "--replicas", "3"]
    size = ["--student", "embed_dim=8,depth=1,num_heads=2,patch_size=4"]
    done = subprocess.run(
        [sys.executable, PROGRAM, "training", *few, *size],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "share its" in done.stdout
    results = results_of(done.stdout)
    for number in (1, 2, 3):
        assert results[f"replicas_{number}"] > 0
    # TensorFlow's start-up lines come once for this process and each of its children.
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    expected = 300 * 1_281_167 / results["replicas_3"] / 3600
    assert results["imagenet_300_epochs_hours"] == pytest.approx(expected, rel=0.1)


def test_generated_photographs_have_imagenet_s_typical_size(tmp_path):
    write_photographs(tmp_path, 3)
    paths = sorted(tmp_path.rglob("*.jpg"))
    assert len(paths) == 3
    contents = [path.read_bytes() for path in paths]
    assert len(set(contents)) == 3
    for content in contents:
        height, width = image_size(tf.constant(content))
        assert (int(height), int(width)) == (375, 500)


def test_wrong_flags_give_one_line(capsys):
    assert main(["dta"]) == 2
    assert "expected one of data" in capsys.readouterr().err
    assert main(["training", "--replicas", "3", "--batch-size", "8"]) == 2
    assert "--batch-size must be a multiple of 6" in capsys.readouterr().err
    assert main(["data", "--passes", "0"]) == 2
    assert "--passes must be 1 or more" in capsys.readouterr().err
    assert main(["data", "--images", "8", "--timm", "/nowhere/python"]) == 2
    assert "/nowhere/python" in capsys.readouterr().err
