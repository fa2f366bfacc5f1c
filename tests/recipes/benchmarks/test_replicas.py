"""Distillation is measured on each number of devices."""

import pytest
from replicas import main  # pyright: ignore[reportMissingImports]

from tests.support.benchmark_programs import run_benchmark
from tests.support.data.pictures import results_of


@pytest.mark.slow
def test_images_per_second_are_printed_for_each_number_of_devices():
    """As a person runs it: this process's TensorFlow has two devices already."""
    few = ["--limit", "32", "--batch-size", "6", "--epochs", "2", "--replicas", "3"]
    size = ["--student", "embed_dim=8,depth=1,num_heads=2,patch_size=4"]
    done = run_benchmark("replicas", *few, *size)
    assert "share its" in done.stdout
    results = results_of(done.stdout)
    for number in (1, 2, 3):
        assert results[f"replicas_{number}"] > 0
    # TensorFlow's start-up lines come once for this process and each of its children.
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr
    expected = 300 * 1_281_167 / results["replicas_3"] / 3600
    assert results["imagenet_300_epochs_hours"] == pytest.approx(expected, rel=0.1)


def test_wrong_flags_give_one_line(capsys):
    assert main(["--replicas", "3", "--batch-size", "8"]) == 2
    assert "--batch-size must be a multiple of 6" in capsys.readouterr().err
