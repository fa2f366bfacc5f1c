"""Exports as ONNX files: equal to Keras, valid, and written whole or not at all."""

import json

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

import keras_cait
from keras_cait.export import to_onnx
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_cait, tiny_deit

LABELS = [f"class {index}" for index in range(10)]
TINY = {"depth": 1, "class_attention_depth": 1, "patch_size": 16}


def session_of(path, **settings):
    options = onnxruntime.SessionOptions()
    for name, value in settings.items():
        setattr(options, name, str(value))
    return onnxruntime.InferenceSession(path, options)


def values_of(arguments):
    return [(value.name, value.shape, value.type) for value in arguments]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model = plausible(
        tiny_cait(
            input_shape=(32, 48, 3), distilled=True, depth=2, include_preprocessing=True
        )
    )
    path = tmp_path_factory.mktemp("onnx") / "cait.onnx"
    return model, to_onnx(model, path, labels=LABELS, weights="drawn by a test"), path


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_outputs_equal_keras_for_other_images(batch, exported):
    model, _, path = exported
    images = np.random.default_rng(1).uniform(0, 255, (batch, 32, 48, 3))
    images = images.astype("float32")
    expected = model.predict_on_batch(images)
    (actual,) = session_of(path).run(None, {"images": images})
    # Answers that differ, so that equal ones say something.
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(actual, expected, atol=1e-4 * expected.max())


def test_inputs_and_outputs_have_names_and_any_batch(exported):
    session = session_of(exported[2])
    shape = ["batch", 32, 48, 3]
    assert values_of(session.get_inputs()) == [("images", shape, "tensor(float)")]
    outputs = [("probabilities", ["batch", 10], "tensor(float)")]
    assert values_of(session.get_outputs()) == outputs


def test_operators_are_standard_ones_of_the_default_opset(exported):
    _, report, path = exported
    model = onnx.load(path)
    versions = [(row.domain, row.version) for row in model.opset_import]
    assert versions == [("", 18)]
    assert {node.domain for node in model.graph.node} == {""}
    assert report.details["opset"] == 18
    assert sum(report.operators.values()) == len(model.graph.node)
    assert report.largest_rank == 4


def test_norms_are_one_operator_and_gelu_is_fused(exported, tmp_path):
    _, report, path = exported
    # Two in each of two blocks and of two that attend for the class; one at the end.
    assert report.operators["LayerNormalization"] == 9
    session_of(path, optimized_model_filepath=tmp_path / "run.onnx")
    nodes = onnx.load(tmp_path / "run.onnx").graph.node
    kinds = [node.op_type for node in nodes]
    assert sum("Gelu" in kind for kind in kinds) == 4
    assert "Erf" not in kinds


def test_metadata_and_report_describe_the_model(exported):
    _, report, path = exported
    metadata = session_of(path).get_modelmeta().custom_metadata_map
    assert metadata["weights"] == "drawn by a test"
    assert metadata["input_range"] == "[0, 255]"
    assert not {"outputs", "class_attention"} & metadata.keys()
    beside = json.loads((path.parent / "cait.onnx.json").read_text())
    assert beside == json.loads(json.dumps(report.to_dict()))
    for name in ("labels", "mean", "std", "image_size"):
        assert json.loads(metadata[name]) == beside[name]
    assert beside["labels"] == LABELS
    assert beside["image_size"] == [32, 48]
    assert beside["size_bytes"] == path.stat().st_size
    assert beside["images"] == 16
    assert 0 <= beside["relative_difference"] < 1e-4
    assert beside["top1_agreement"] == 1
    assert beside["latency_ms"] > 0
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        "cait.onnx",
        "cait.onnx.json",
    ]


def test_a_model_of_half_precision_that_takes_normalized_images(tmp_path):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = plausible(tiny_deit(classifier_activation=None, depth=1))
    finally:
        keras.config.set_dtype_policy("float32")
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3))
    report = to_onnx(model, tmp_path / "a.onnx", images=images)
    assert report.comparison.images == 5
    session = session_of(report.path)
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata["input_range"] == "normalized"
    assert "labels" not in metadata
    normal = keras_cait.preprocess_input(images).astype("float32")
    (actual,) = session.run(None, {"images": normal})
    expected = keras.ops.softmax(model.predict_on_batch(normal).astype("float32"))
    # Half precision itself is no nearer.
    np.testing.assert_allclose(actual, expected, atol=1e-2)


def test_a_gray_model_has_the_mean_of_its_channel(tmp_path):
    model = tiny_deit(input_shape=(16, 16, 1), depth=1)
    report = to_onnx(model, tmp_path / "a.onnx")
    metadata = session_of(report.path).get_modelmeta().custom_metadata_map
    # The mean of ImageNet's three, as `include_preprocessing` has it.
    mean, std = (json.loads(metadata[name]) for name in ("mean", "std"))
    np.testing.assert_allclose(mean, [np.mean([0.485, 0.456, 0.406])])
    np.testing.assert_allclose(std, [np.mean([0.229, 0.224, 0.225])])


@pytest.mark.slow
def test_opset_13_is_written(tmp_path):
    report = to_onnx(tiny_cait(**TINY), tmp_path / "a.onnx", opset=13)
    assert report.details["opset"] == 13
    assert onnx.load(report.path).opset_import[0].version == 13
    assert "LayerNormalization" not in report.operators


def test_weights_that_are_not_finite_leave_no_file(tmp_path):
    model = tiny_cait(**TINY)
    model.get_layer("head").bias.assign(np.full(10, np.nan))
    with pytest.raises(ValueError, match="finite numbers"):
        to_onnx(model, tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_replaced_only_with_overwrite(tmp_path):
    model, path = tiny_cait(**TINY), tmp_path / "a.onnx"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match=r"a\.onnx"):
        to_onnx(model, path)
    assert path.read_text() == "precious"
    to_onnx(model, path, overwrite=True)
    onnx.checker.check_model(path)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.tflite", {}, r"end in \.onnx"),
        ("a.onnx", {"opset": 12}, "13 to 18. Received: opset=12"),
        ("a.onnx", {"opset": 19}, "13 to 18. Received: opset=19"),
        ("a.onnx", {"labels": ["one"]}, "10 classes.*1 labels"),
        ("a.onnx", {"images": np.zeros((1, 9, 9, 3))}, r"shape=\(1, 9, 9, 3\)"),
    ],
)
def test_invalid_arguments_are_refused(name, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        to_onnx(tiny_cait(**TINY), tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []
