"""Exports are measured, alone and in a process each, with every number in place."""

from subprocess import CalledProcessError

import pytest
from exports import FORMATS  # pyright: ignore[reportMissingImports]

from tests.support.benchmark_programs import run_benchmark
from tests.support.data.pictures import results_of

SIZES = "embed_dim=16,depth=1,num_heads=2,patch_size=8"
TINY = ["--model", SIZES, "--image-size", "32"]


def check(done, *names):
    results = results_of(done.stdout)["results"]
    assert tuple(results) == names
    for name, found in results.items():
        assert found["seconds"] > 0
        assert 100 < found["imports_mb"] <= found["peak_mb"]  # TensorFlow alone
        assert 0 < found["file_mb"] < 10
        assert 0 < found["difference"] < (2e-2 if "float16" in name else 1e-5)


def test_one_export_prints_its_line_and_json():
    done = run_benchmark("exports", *TINY, "--formats", "tflite")
    assert done.stdout.count("MB of memory") == 1
    check(done, "tflite")


@pytest.mark.slow
def test_every_export_is_measured_in_a_process_of_its_own():
    done = run_benchmark("exports", *TINY)
    assert done.stdout.count("MB of memory") == len(FORMATS)
    check(done, *FORMATS)


@pytest.mark.slow
def test_a_wrong_model_is_named_in_one_line():
    with pytest.raises(CalledProcessError) as caught:
        run_benchmark("exports", "--model", "CaiT_XXS42", "--formats", "onnx")
    assert "Did you mean CaiT_XXS24" in caught.value.stderr
