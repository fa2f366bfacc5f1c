"""Loading of ONNX files by onnxruntime."""

import pytest

from keras_cait.export.onnx_graph.runtime import OnnxRuntime


def test_a_file_that_is_not_onnx_is_refused(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(b"no model at all")
    with pytest.raises(ValueError, match="onnxruntime refuses"):
        OnnxRuntime(path, 1)
