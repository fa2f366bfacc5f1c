"""Each runtime is measured, alone and beside others, with every number in place."""

import keras
import pytest

from keras_cait.benchmarking.runtimes import Source, write
from keras_cait.benchmarking.settings import RUNTIMES
from recipes.benchmarks.inference import main
from tests.support.benchmark_programs import run_benchmark
from tests.support.data.pictures import results_of

SIZES = "embed_dim=16,depth=1,num_heads=2,patch_size=8"
TINY = ["--model", SIZES, "--image-size", "32", "--seconds", "0.01"]


def check(results, batch_sizes, *names):
    assert list(results["results"]) == list(names)
    for found in results["results"].values():
        assert list(found["batches"]) == batch_sizes
        assert 0 < found["imports_mb"] <= found["peak_mb"]
        for row in found["batches"].values():
            assert 0 < row["median"] <= row["best"]
            assert 0 < row["share"] < 1
            assert row["first_s"] > 0


def test_one_runtime_prints_its_rates_and_json(capsys):
    assert main([*TINY, "--runtimes", "graph", "--batch-sizes", "1", "3"]) == 0
    text = capsys.readouterr().out
    assert text.count("median images/s") == 2
    check(results_of(text), ["1", "3"], "graph")
    assert keras.config.dtype_policy().name == "float32"


def test_a_file_that_is_there_is_measured(tmp_path, capsys):
    source = Source(SIZES, 32, "float32", tmp_path)
    path = tmp_path / f"{SIZES}_32_float32.onnx"
    write(source, "onnx", path)
    written = path.stat().st_mtime_ns
    flags = ["--files", str(tmp_path), "--batch-sizes", "2"]
    assert main([*TINY, *flags, "--runtimes", "onnxruntime"]) == 0
    results = results_of(capsys.readouterr().out)
    check(results, ["2"], "onnxruntime")
    size = results["results"]["onnxruntime"]["file_mb"]
    assert size == pytest.approx(path.stat().st_size / 1e6, rel=1e-3)
    assert path.stat().st_mtime_ns == written


@pytest.mark.slow
def test_every_runtime_is_measured_in_a_process_of_its_own():
    done = run_benchmark("inference", *TINY, "--batch-sizes", "2")
    check(results_of(done.stdout), ["2"], *RUNTIMES)
    assert done.stdout.count("median images/s") == len(RUNTIMES)


def test_wrong_flags_give_one_line(capsys):
    assert main([*TINY, "--batch-sizes", "1", "0"]) == 2
    assert "--batch-sizes must be above 0" in capsys.readouterr().err
    assert main(["--model", "CaiT_XXS42", "--runtimes", "graph"]) == 2
    assert "Did you mean CaiT_XXS24" in capsys.readouterr().err
