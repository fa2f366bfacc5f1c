"""A measurement in this process has the memory of its own calls only."""

import numpy as np

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
