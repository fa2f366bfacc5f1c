"""Files with other outputs than probabilities, read by their own runtimes."""

import json

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from keras_cait.export import to_onnx, to_saved_model, to_tflite
from keras_cait.export.pipeline.outputs import OUTPUTS
from keras_cait.export.pipeline.photographs import photographs
from keras_cait.export.saved_model.warmup import read_warmup
from keras_cait.export.tflite.metadata import read_metadata
from keras_cait.export.tflite.runtime import TfliteRuntime
from tests.support.data.photographs import encoded
from tests.support.export.expected_outputs import (
    assert_equal_outputs,
    expected_outputs,
)
from tests.support.export.samples import plausible
from tests.support.export.served_models import Served
from tests.support.models.tiny_models import tiny_cait, tiny_deit

SHAPE = (24, 40, 3)
PIXELS = photographs(SHAPE[:2], number=19)[16:]  # others than those compared on
LABELS = [f"class {index}" for index in range(10)]
PAGE = ("probabilities", "class_attention")
TENSORS = [
    *("probabilities", "logits", "features", "class_logits", "distillation_logits"),
    "class_attention",
]
SHAPES = {
    **{name: [10] for name in TENSORS},
    "features": [32],
    "class_attention": [8, 3, 5],
}
# Both have two blocks in which the class token attends.
FAMILIES = {"cait": (tiny_cait, {"depth": 1}), "deit": (tiny_deit, {"depth": 2})}
BOTH = pytest.mark.parametrize(
    "family", ["cait", pytest.param("deit", marks=pytest.mark.slow)]
)


def made(family="cait", **settings):
    make, options = FAMILIES[family]
    options = {"input_shape": SHAPE, "include_preprocessing": True, **options}
    return plausible(make(**{**options, **settings}))


def check_report(report, tolerance=1e-4):
    """The report beside the file names each output, its shape and its difference."""
    path = report.path.with_name(report.path.name + ".json")
    beside = json.loads(path.read_text())
    assert beside["class_attention"] == {"blocks": 2, "heads": 4}
    printed = str(report)
    for name, shape in SHAPES.items():
        found = beside["outputs"][name]
        assert found["shape"] == shape
        assert found["images"] == 16
        assert found["relative_difference"] < tolerance
        has_classes = name not in ("features", "class_attention")
        assert found["top1_agreement"] == (1 if has_classes else None)
        assert f"{name} " in printed
    assert "2 blocks x 4 heads" in printed
    assert beside["relative_difference"] == max(
        each["relative_difference"] for each in beside["outputs"].values()
    )
    assert report.largest_rank == 4


def session_of(report):
    return onnxruntime.InferenceSession(report.path)


def run_onnx(session, pixels):
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"images": pixels}), strict=True))


@BOTH
def test_onnx(family, tmp_path):
    model = made(family, distilled=True)
    report = to_onnx(model, tmp_path / "a.onnx", outputs=OUTPUTS, labels=LABELS)
    check_report(report)
    session = session_of(report)
    assert [output.name for output in session.get_outputs()] == TENSORS
    assert_equal_outputs(run_onnx(session, PIXELS), expected_outputs(model, PIXELS))


def test_the_file_of_the_web_page(tmp_path):
    model = made(class_attention_depth=2)
    report = to_onnx(model, tmp_path / "a.onnx", outputs=PAGE, labels=LABELS)
    session = session_of(report)
    assert [(each.name, each.type) for each in session.get_inputs()] == [
        ("images", "tensor(float)")
    ]
    assert [(each.name, each.shape, each.type) for each in session.get_outputs()] == [
        ("probabilities", ["batch", 10], "tensor(float)"),
        ("class_attention", ["batch", 8, 3, 5], "tensor(float)"),
    ]
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["outputs"]) == list(PAGE)
    assert json.loads(metadata["class_attention"]) == {"blocks": 2, "heads": 4}
    assert json.loads(metadata["labels"]) == LABELS
    expected = expected_outputs(model, PIXELS[:1])
    found = run_onnx(session, PIXELS[:1])
    assert_equal_outputs(found, {name: expected[name] for name in PAGE})


def run_tflite(report, pixels):
    """Outputs of the signature, as an app calls it."""
    runtime = TfliteRuntime(report.path, 1)
    run = runtime.interpreter.get_signature_runner("serving_default")
    rows = [run(images=image[None]) for image in pixels]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


@BOTH
def test_tflite(family, tmp_path):
    model = made(family, distilled=True)
    path = tmp_path / "a.tflite"
    report = to_tflite(model, path, outputs=OUTPUTS, labels=LABELS)
    check_report(report)
    assert_equal_outputs(run_tflite(report, PIXELS), expected_outputs(model, PIXELS))
    details = TfliteRuntime(path, 1).interpreter.get_output_details()
    assert [list(row["shape"][1:]) for row in details] == [SHAPES[x] for x in TENSORS]
    metadata = read_metadata(path)
    assert list(metadata.outputs) == TENSORS
    assert metadata.outputs["class_attention"].endswith("2 blocks x 4 heads, in order.")
    assert metadata.labels == tuple(LABELS)


@pytest.mark.parametrize(
    ("precision", "tolerance"),
    [
        ("int8", 0.1),
        pytest.param("float16", 2e-2, marks=pytest.mark.slow),
        pytest.param("dynamic", 0.1, marks=pytest.mark.slow),
    ],
)
def test_tflite_of_lower_precision(precision, tolerance, tmp_path):
    model = made(distilled=True)
    seen = photographs(SHAPE[:2], number=40)[16:] if precision == "int8" else None
    report = to_tflite(
        model,
        tmp_path / "a.tflite",
        outputs=OUTPUTS,
        precision=precision,
        representative=seen,
    )
    assert list(report.outputs) == TENSORS
    for name, found in report.outputs.items():
        assert 0 < found.relative_difference < tolerance, name
    expected = expected_outputs(model, PIXELS)
    assert_equal_outputs(run_tflite(report, PIXELS), expected, tolerance)


def test_features_that_8_bits_change_are_refused(tmp_path):
    model = made("deit", depth=1)
    path = tmp_path / "a.tflite"
    with pytest.raises(ValueError, match=r"to 1e-06 of the largest value.* features"):
        to_tflite(
            model, path, outputs=["features"], precision="dynamic", tolerance=1e-6
        )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    model = made(distilled=True)
    folder = tmp_path_factory.mktemp("served")
    report = to_saved_model(model, folder, outputs=OUTPUTS, labels=LABELS)
    return model, report, Served.load(report.path)


def test_saved_model(served):
    model, report, loaded = served
    check_report(report)
    known = {"serving_default", "probabilities", "features", "heads"}
    assert {*loaded.signatures} == known | {"outputs", "outputs_of_files"}
    expected = expected_outputs(model, PIXELS)
    assert_equal_outputs(loaded.outputs("outputs", PIXELS), expected)
    files = [encoded(image.astype("uint8"), "PNG") for image in PIXELS]
    answer = loaded.signatures["outputs_of_files"](images=tf.constant(files))
    found = {name: rows.numpy() for name, rows in answer.items()}
    assert_equal_outputs(found, expected)
    found = loaded.top_classes(*files)
    assert found.keys() == {"classes", "indices", "scores"}


def test_a_batch_of_a_server_gives_the_outputs_of_its_requests(served):
    _, _, loaded = served
    together = loaded.outputs("outputs", PIXELS)
    for index in range(len(PIXELS)):
        alone = loaded.outputs("outputs", PIXELS[index : index + 1])
        for name, rows in alone.items():
            np.testing.assert_allclose(
                rows[0], together[name][index], rtol=1e-4, atol=1e-5
            )
    empty = loaded.outputs("outputs", np.zeros((0, 9, 9, 3)))
    assert {name: [*rows.shape] for name, rows in empty.items()} == {
        name: [0, *shape] for name, shape in SHAPES.items()
    }


def test_each_signature_has_a_warm_up_request_of_its_kind(served):
    _, report, loaded = served
    kinds = {
        request.model_spec.signature_name: tf.make_ndarray(request.inputs["images"])
        for request in read_warmup(report.path)
    }
    assert kinds.keys() == loaded.signatures.keys()
    assert tf.io.is_jpeg(kinds["outputs_of_files"][0])
    assert kinds["outputs"].shape == (1, 64, 64, 3)


@pytest.mark.slow
def test_saved_model_of_features_alone(tmp_path):
    model = made("deit")
    report = to_saved_model(model, tmp_path, outputs=["features"])
    found = Served.load(report.path).outputs("outputs", PIXELS)
    expected = expected_outputs(model, PIXELS)
    assert_equal_outputs(found, {"features": expected["features"]})


@pytest.mark.parametrize("export", [to_onnx, to_tflite, to_saved_model])
def test_outputs_that_a_model_does_not_have_leave_no_file(export, tmp_path):
    model = made(class_attention_depth=1)
    path = tmp_path / {to_onnx: "a.onnx", to_tflite: "a.tflite"}.get(export, "a")
    with pytest.raises(ValueError, match="`outputs` must be a list of"):
        export(model, path, outputs="features")
    with pytest.raises(ValueError, match="heads of a distilled model only"):
        export(model, path, outputs=["probabilities", "heads"])
    assert list(tmp_path.iterdir()) == []
