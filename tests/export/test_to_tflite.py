"""Exports as TFLite files: compared, refused, and their metadata."""

import contextlib
import importlib
import io
import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_cait.export.pipeline.photographs import photographs
from keras_cait.export.tflite.metadata import read_metadata
from keras_cait.export.tflite.runtime import TfliteRuntime
from keras_cait.export.to_tflite import to_tflite
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_cait, tiny_deit

LABELS = list("abcdefghij")
SEEN = photographs((32, 32), number=40)[16:]  # others than those compared on
GRAY = photographs((16, 16), number=16, channels=1)


@pytest.fixture(scope="module")
def deit():
    return plausible(tiny_deit(distilled=True, include_preprocessing=True, depth=2))


@pytest.fixture(scope="module")
def cait():
    return plausible(tiny_cait(depth=1, class_attention_depth=1, distilled=True))


@pytest.fixture(scope="module")
def float32(deit, tmp_path_factory):
    path = tmp_path_factory.mktemp("float32") / "deit.tflite"
    return to_tflite(deit, path, labels=LABELS, weights="random")


def test_the_report_of_a_float32_file(float32):
    assert float32.comparison.images == 16
    assert float32.comparison.relative_difference < 1e-4
    assert float32.comparison.top1_agreement == 1
    assert float32.largest_rank == 4
    assert float32.operators["GELU"] == 2
    assert float32.size_bytes == float32.path.stat().st_size
    assert float32.details["runtime"].startswith("TensorFlow Lite 2.9.0")
    beside = json.loads((float32.path.parent / "deit.tflite.json").read_text())
    assert beside["labels"] == LABELS
    assert beside["weights"] == "random"
    assert beside["precision"] == "float32"


def test_the_metadata_of_a_model_that_takes_pixels(float32):
    metadata = read_metadata(float32.path)
    assert metadata.labels == tuple(LABELS)
    assert (metadata.mean, metadata.std) == ((0.0,), (1.0,))
    assert "in [0, 255]" in metadata.description
    interpreter = TfliteRuntime(float32.path, 1).interpreter
    signature = {"inputs": ["images"], "outputs": ["probabilities"]}
    assert interpreter.get_signature_list() == {"serving_default": signature}


def test_the_metadata_of_a_model_that_takes_normalized_images(cait, tmp_path):
    report = to_tflite(cait, tmp_path / "cait.tflite")
    assert report.comparison.relative_difference < 1e-4
    metadata = read_metadata(report.path)
    np.testing.assert_allclose(metadata.mean, (123.675, 116.28, 103.53), rtol=1e-6)
    np.testing.assert_allclose(metadata.std, (58.395, 57.12, 57.375), rtol=1e-6)
    assert metadata.labels is None


def tiniest(**options):
    return plausible(tiny_deit(input_shape=(16, 16, 1), depth=1, **options))


def test_a_gray_model_has_the_mean_of_its_channel(tmp_path):
    report = to_tflite(tiniest(), tmp_path / "gray.tflite")
    metadata = read_metadata(report.path)
    # The mean of ImageNet's three, as `include_preprocessing` has it.
    np.testing.assert_allclose(metadata.mean, 255 * np.mean([0.485, 0.456, 0.406]))
    np.testing.assert_allclose(metadata.std, 255 * np.mean([0.229, 0.224, 0.225]))
    assert len(metadata.mean) == len(metadata.std) == 1


def test_the_file_is_written_and_checked_once(tmp_path, monkeypatch):
    calls = []
    module = importlib.import_module("keras_cait.export.to_tflite")

    def counted(name):
        function = getattr(module, name)
        return lambda *given, **named: calls.append(name) or function(*given, **named)

    for name in ("convert", "unpack", "pack", "check_tflite"):
        monkeypatch.setattr(module, name, counted(name))
    to_tflite(tiniest(), tmp_path / "a.tflite", precision="dynamic", images=GRAY)
    assert calls == ["convert", "unpack", "pack", "check_tflite"]


@pytest.mark.parametrize("precision", ["dynamic", "int8"])
def test_8_bits_that_change_the_predictions_are_refused(precision, tmp_path):
    model = tiniest(include_preprocessing=True)
    head = model.get_layer("head")
    # What all classes have in common leaves few of the levels to what tells them apart.
    common = 50 * np.random.default_rng(0).standard_normal((32, 1), "float32")
    head.kernel.assign(30 * (head.kernel + common * np.std(head.kernel)))
    needs = {"dynamic": "float16", "int8": "representative"}[precision]
    refused(
        model,
        tmp_path / "a.tflite",
        rf"likeliest class of 95 % of the images. Received: .*{needs}",
        precision=precision,
        representative=GRAY if precision == "int8" else None,
    )


@pytest.mark.slow
def test_tolerance_allows_and_keep_anyway_keeps_a_difference(tmp_path):
    model = tiniest(include_preprocessing=True)
    head = model.get_layer("head")
    head.kernel.assign(30 * head.kernel)
    settings: dict[str, Any] = {"precision": "dynamic", "images": GRAY}
    path = tmp_path / "a.tflite"
    refused(model, path, r"to 0\.01 of the largest", tolerance=0.01, **settings)
    kept = to_tflite(model, path, tolerance=0.01, keep_anyway=True, **settings)
    assert path.exists()
    assert not kept.passed
    beside = json.loads((tmp_path / "a.tflite.json").read_text())
    assert beside["passed"] is False
    assert "to 0.01 of the largest value" in beside["details"]["did not pass"]
    allowed = to_tflite(model, path, tolerance=2.0, overwrite=True, **settings)
    assert allowed.passed
    assert allowed.comparison == kept.comparison


def assert_gpus_have_its_operators(path):
    """By the list of TensorFlow's own GPU delegate."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        tf.lite.experimental.Analyzer.analyze(str(path), gpu_compatibility=True)
    assert "looks compatible with GPU delegate" in said.getvalue()


def test_gpu_delegate_and_xnnpack_support_all_operators(float32):
    assert_gpus_have_its_operators(float32.path)
    # A part of the graph that XNNPACK takes is one node more.
    interpreter = TfliteRuntime(float32.path, 1).interpreter
    nodes = [row["op_name"] for row in interpreter._get_ops_details()]
    assert nodes.count("DELEGATE") == 1
    assert len(nodes) == sum(float32.operators.values()) + 1


@pytest.mark.parametrize("precision", ["float16", "dynamic", "int8"])
def test_lower_precisions_give_smaller_files(deit, float32, precision, tmp_path):
    report = to_tflite(
        deit,
        tmp_path / "deit.tflite",
        precision=precision,
        representative=SEEN if precision == "int8" else None,
    )
    assert report.size_bytes < 0.75 * float32.size_bytes  # of a tiny model
    assert 0 < report.comparison.relative_difference < 0.05
    kind = "FLOAT16" if precision == "float16" else "INT8"
    assert report.details["tensors"][kind] > 5
    assert_gpus_have_its_operators(report.path)
    if precision == "int8":
        assert report.details["representative images"] == 24
        # One is for the weights of the patch embedding.
        assert (report.operators["QUANTIZE"], report.operators["DEQUANTIZE"]) == (2, 3)


def test_a_folder_of_representative_images_equals_an_array_and_is_read_once(
    deit, tmp_path, monkeypatch
):
    module = importlib.import_module("keras_cait.export.tflite.representative_images")
    reads, read = [], module.given_images
    monkeypatch.setattr(
        module, "given_images", lambda *a, **k: reads.append(a) or read(*a, **k)
    )
    folder = tmp_path / "photos" / "class"
    folder.mkdir(parents=True)
    for index, image in enumerate(SEEN[:16]):
        keras.utils.save_img(folder / f"{index}.png", image, scale=False)
    settings = {"precision": "int8", "images": SEEN[:2]}
    by_folder, by_array = (
        to_tflite(deit, tmp_path / f"{name}.tflite", representative=given, **settings)
        for name, given in (("folder", folder.parent), ("array", SEEN[:16]))
    )
    assert len(reads) == 2
    assert by_folder.details["representative images"] == 16
    # The same images in another order have the same ranges.
    assert by_folder.path.read_bytes() == by_array.path.read_bytes()


def refused(deit, path, match, **settings: Any):
    with pytest.raises(ValueError, match=match):
        to_tflite(deit, path, **settings)
    assert not list(path.parent.glob("*"))


def test_invalid_arguments_are_refused(deit, tmp_path):
    path = tmp_path / "deit.tflite"
    refused(deit, tmp_path / "deit.onnx", r"must end in \.tflite")
    refused(deit, path, "must be one of float32, float16", precision="int4")
    refused(deit, path, "needs `representative`: at least 16", precision="int8")
    refused(deit, path, 'is for `precision="int8"`', representative=SEEN)
    integers: dict[str, Any] = {"precision": "int8"}
    refused(deit, path, "16 images or more.*15", **integers, representative=SEEN[:15])
    refused(deit, path, "be of shape", **integers, representative=SEEN[:, :8])
    refused(deit, path, "in .0, 255.*normalize", **integers, representative=SEEN / -2)
    alike, black = SEEN[:1].repeat(99, axis=0), np.zeros((20, 32, 32, 3))
    refused(deit, path, "99 images.* 1 differ", **integers, representative=alike)
    refused(deit, path, "20 images.* 0 differ", **integers, representative=black)
    refused(deit, path, "no folder", **integers, representative=tmp_path / "none")
    refused(deit, path, "names? the 10 classes", labels=["a"])


def test_an_existing_file_is_refused_and_a_failure_leaves_none(deit, float32, tmp_path):
    with pytest.raises(FileExistsError, match="must be new"):
        to_tflite(deit, float32.path)
    assert read_metadata(float32.path).labels == tuple(LABELS)
    broken = plausible(tiny_deit(depth=1))
    broken.get_layer("head").bias.assign(np.full(10, np.nan))
    refused(broken, tmp_path / "broken.tflite", "finite numbers")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8"])
def test_cait_is_exported_in_each_precision(cait, precision, tmp_path):
    report = to_tflite(
        cait,
        tmp_path / "cait.tflite",
        precision=precision,
        representative=SEEN if precision == "int8" else None,
    )
    assert report.comparison.relative_difference < 0.05
