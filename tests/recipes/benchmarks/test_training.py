"""Training steps are measured, in this process or in one for each way."""

import pytest

from keras_cait.benchmarking.training_steps import JIT_COMPILE
from recipes.benchmarks.training import main
from tests.recipes.benchmarks.test_inference import TINY, check
from tests.support.benchmark_programs import run_benchmark
from tests.support.data.pictures import results_of


def test_steps_are_measured(capsys):
    flags = ["--ways", "tensorflow_graph", "--batch-sizes", "2"]
    assert main([*TINY, *flags]) == 0
    check(results_of(capsys.readouterr().out), ["2"], "tensorflow_graph")


@pytest.mark.slow
def test_every_way_is_measured_in_a_process_of_its_own():
    done = run_benchmark("training", *TINY)
    check(results_of(done.stdout), ["8"], *JIT_COMPILE)


def test_wrong_flags_give_one_line(capsys):
    assert main([*TINY, "--image-size", "33", "--ways", "tensorflow_graph"]) == 2
    assert "`patch_size` must divide" in capsys.readouterr().err
