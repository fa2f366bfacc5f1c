"""Reading and writing of TFLite files."""

import numpy as np
import pytest

from keras_cait.export.tflite.check import check_tflite
from keras_cait.export.tflite.conversion import convert
from keras_cait.export.tflite.file import (
    ALIGNMENT,
    operators_of,
    pack,
    require_runtime,
    runtime_version,
    schema,
    unpack,
)
from keras_cait.export.tflite.runtime import TfliteRuntime
from tests.support.models.tiny_models import tiny_deit


@pytest.fixture(scope="module")
def content():
    return convert(tiny_deit(depth=1))


def test_a_file_that_is_read_and_written_is_unchanged(content):
    again = pack(unpack(content))
    assert check_tflite(again) == check_tflite(content)
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 3), "float32")
    before, after = (TfliteRuntime(file, 1)(image) for file in (content, again))
    np.testing.assert_array_equal(before["probabilities"], after["probabilities"])


def test_weights_are_aligned_and_unused_ones_left_out(content):
    model = unpack(content)
    unused = schema().BufferT()
    unused.data = np.arange(200_000, dtype="uint8")
    model.buffers.append(unused)
    again = pack(model)
    assert len(again) < len(content) + 10_000
    # Places in the file, which itself lies anywhere in memory.
    start = np.frombuffer(again, "uint8").ctypes.data
    rows = [row.data for row in unpack(again).buffers if row.data is not None]
    assert len(rows) > 20
    assert not any((row.ctypes.data - start) % ALIGNMENT for row in rows)


def test_operators_are_read_in_order(content):
    names = [operator.name for operator in operators_of(unpack(content))]
    assert names[0] == "CONV_2D"
    assert names[-2:] == ["FULLY_CONNECTED", "SOFTMAX"]


def test_an_older_runtime_does_not_replace_a_newer_one(content):
    model = unpack(content)
    require_runtime(model, "2.10.0")
    require_runtime(model, "2.8.0")
    assert runtime_version(unpack(pack(model))) == "2.10.0"
