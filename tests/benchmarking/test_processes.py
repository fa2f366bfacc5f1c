"""A measurement in this process has the memory of its own calls only."""

import runpy
import sys

import numpy as np
import pytest

from keras_cait.benchmarking.processes import measure_here
from keras_cait.benchmarking.settings import CallSettings


def test_memory_for_counting_operations_is_not_that_of_the_model():
    settings = CallSettings(batch_sizes=(2,), image_size=8, seconds=0.01)

    def operations():
        return np.ones(10**9, "uint8").sum()  # 1 GB

    found = measure_here(settings, "name", lambda: lambda size: list, operations)
    row = found["results"]["name"]
    assert row["imports_mb"] <= row["peak_mb"] < row["imports_mb"] + 500
    assert found["gflop_an_image"] == 1.0
    assert row["batches"]["2"]["best"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "printed"),
    [
        (["--help"], 0, "python -m keras_cait.benchmarking training --ways jax"),
        (["inference", "--help"], 0, "--runtimes"),
        ([], 2, "required: task"),
        (["export"], 2, "choose from 'inference', 'training'"),
        (["training", "--wasy", "jax"], 2, "Did you mean --ways?"),
    ],
)
def test_the_process_of_a_measurement_prints_its_flags(
    arguments, code, printed, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "argv", ["__main__.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("keras_cait.benchmarking", run_name="__main__")
    assert ended.value.code == code
    captured = capsys.readouterr()
    assert printed in captured.out + captured.err
