"""Files that phones run: compared, refused, and what is in them."""

import contextlib
import io
import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras_cait.export.photographs import photographs
from keras_cait.export.tflite_conversion import convert
from keras_cait.export.tflite_file import pack, schema, unpack
from keras_cait.export.tflite_integers import (
    products,
    products_into_gelu,
    quantise_products,
    quantise_weights,
)
from keras_cait.export.tflite_metadata import read_metadata
from keras_cait.export.tflite_runtime import TfliteRuntime, ranges_of
from keras_cait.export.to_tflite import to_tflite

from tests.export.samples import plausible
from tests.models.samples import tiny_cait, tiny_deit

LABELS = list("abcdefghij")
SEEN = photographs((32, 32), number=40)[16:]  # others than those compared on


@pytest.fixture(scope="module")
def deit():
    return plausible(tiny_deit(distilled=True, include_preprocessing=True, depth=2))


@pytest.fixture(scope="module")
def cait():
    return plausible(tiny_cait(depth=1, class_attention_depth=1, distilled=True))


@pytest.fixture(scope="module")
def content(cait):
    """In float32, without metadata."""
    return convert(cait)


@pytest.fixture(scope="module")
def float32(deit, tmp_path_factory):
    path = tmp_path_factory.mktemp("float32") / "deit.tflite"
    return to_tflite(deit, path, labels=LABELS, weights="random")


def test_the_report(float32):
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


def test_the_file_says_what_phones_ask(float32):
    metadata = read_metadata(float32.path)
    assert metadata.labels == tuple(LABELS)
    assert (metadata.mean, metadata.std) == ((0.0,), (1.0,))
    assert "in [0, 255]" in metadata.description
    interpreter = TfliteRuntime(float32.path, 1).interpreter
    signature = {"inputs": ["images"], "outputs": ["probabilities"]}
    assert interpreter.get_signature_list() == {"serving_default": signature}


def test_a_model_that_wants_normalised_images(cait, tmp_path):
    report = to_tflite(cait, tmp_path / "cait.tflite")
    assert report.comparison.relative_difference < 1e-4
    metadata = read_metadata(report.path)
    np.testing.assert_allclose(metadata.mean, (123.675, 116.28, 103.53), rtol=1e-6)
    np.testing.assert_allclose(metadata.std, (58.395, 57.12, 57.375), rtol=1e-6)
    assert metadata.labels is None


def assert_gpus_have_its_operators(path):
    """By the list of TensorFlow's own GPU delegate."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        tf.lite.experimental.Analyzer.analyze(str(path), gpu_compatibility=True)
    assert "looks compatible with GPU delegate" in said.getvalue()


def test_gpus_and_xnnpack_take_all_of_it(float32):
    assert_gpus_have_its_operators(float32.path)
    # A part of the graph that XNNPACK takes is one node more.
    interpreter = TfliteRuntime(float32.path, 1).interpreter
    nodes = [row["op_name"] for row in interpreter._get_ops_details()]
    assert nodes.count("DELEGATE") == 1
    assert len(nodes) == sum(float32.operators.values()) + 1


@pytest.mark.parametrize("precision", ["float16", "dynamic", "int8"])
def test_smaller_files(deit, float32, precision, tmp_path):
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


def test_eight_bit_weights_are_near_and_a_quarter_of_the_size():
    """Of a model wide enough that all else is small beside the weights."""
    model = plausible(tiny_deit(embed_dim=256, depth=1))
    content = convert(model)
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 3), "float32")
    expected = TfliteRuntime(content, 1)(image)
    smaller = unpack(content)
    assert quantise_weights(smaller) == len(products(unpack(content))) >= 5
    assert not products(smaller)
    written = pack(smaller)
    assert len(written) < 0.3 * len(content)
    np.testing.assert_allclose(TfliteRuntime(written, 1)(image), expected, atol=0.02)


def test_which_products_are_integers_throughout(content):
    """The first layers of feed-forwards: one in each stage of a CaiT."""
    model = unpack(content)
    inside = products_into_gelu(model)
    graph = model.subgraphs[0]
    shapes = [tuple(graph.tensors[product.weights].shape) for product in inside]
    assert shapes == [(128, 32), (128, 32)]


def test_ranges_are_those_of_all_images(content):
    model = unpack(content)
    inside = products_into_gelu(model)
    indices = [product.output for product in inside]
    images = np.random.default_rng(0).standard_normal((3, 32, 32, 3), "float32")
    ranges = ranges_of(model, indices, images, 1)
    each = [ranges_of(model, indices, image[None], 1) for image in images]
    for index, found in ranges.items():
        assert found[0] == min(one[index][0] for one in each)
        assert found[1] == max(one[index][1] for one in each)
        assert found[0] < 0 < found[1]


def test_integers_are_steps_of_the_range(content):
    model = unpack(content)
    chosen = products_into_gelu(model)[:1]
    ranges = {chosen[0].input: (-1.0, 3.0), chosen[0].output: (2.0, 4.0)}
    quantise_products(model, chosen, ranges)
    model = unpack(pack(model))
    kinds = schema().TensorType
    found = {
        tensor.name.decode(): tensor
        for tensor in model.subgraphs[0].tensors
        if tensor.type == kinds.INT8 and b"_quantised" in tensor.name
    }
    scales = [
        (row.quantization.scale[0], row.quantization.zeroPoint[0])
        for row in found.values()
    ]
    # 0 is always one of the steps, so (2, 4) is taken as (0, 4).
    np.testing.assert_allclose(scales, [(4 / 255, -64), (4 / 255, -128)], rtol=1e-6)


def test_a_folder_of_representative_images(deit, tmp_path):
    folder = tmp_path / "photos" / "class"
    folder.mkdir(parents=True)
    for index, image in enumerate(SEEN[:16]):
        keras.utils.save_img(folder / f"{index}.png", image, scale=False)
    settings = {"precision": "int8", "images": SEEN[:2]}
    by_folder, by_array = (
        to_tflite(deit, tmp_path / f"{name}.tflite", representative=given, **settings)
        for name, given in (("folder", folder.parent), ("array", SEEN[:16]))
    )
    assert by_folder.details["representative images"] == 16
    # The same images in another order have the same ranges.
    assert by_folder.path.read_bytes() == by_array.path.read_bytes()


def refused(deit, path, match, **settings: Any):
    with pytest.raises(ValueError, match=match):
        to_tflite(deit, path, **settings)
    assert not list(path.parent.glob("*"))


def test_arguments_that_do_not_fit(deit, tmp_path):
    path = tmp_path / "deit.tflite"
    refused(deit, tmp_path / "deit.onnx", r"must end in \.tflite")
    refused(deit, path, "must be one of float32, float16", precision="int4")
    refused(deit, path, "needs `representative`: at least 16", precision="int8")
    refused(deit, path, 'is for `precision="int8"`', representative=SEEN)
    integers: dict[str, Any] = {"precision": "int8"}
    refused(deit, path, "16 images or more.*15", **integers, representative=SEEN[:15])
    refused(deit, path, "be of shape", **integers, representative=SEEN[:, :8])
    refused(deit, path, "in .0, 255.*normalise", **integers, representative=SEEN / -2)
    refused(deit, path, "no folder", **integers, representative=tmp_path / "none")
    refused(deit, path, "names? the 10 classes", labels=["a"])


def test_nothing_is_written_over_or_left_behind(deit, float32, tmp_path):
    with pytest.raises(FileExistsError, match="must be new"):
        to_tflite(deit, float32.path)
    assert read_metadata(float32.path).labels == tuple(LABELS)
    broken = plausible(tiny_deit(depth=1))
    broken.get_layer("head").bias.assign(np.full(10, np.nan))
    refused(broken, tmp_path / "broken.tflite", "finite numbers")


def test_layers_with_the_same_weights():
    """The converter keeps equal weights once."""
    model = plausible(tiny_deit(depth=2, classifier_activation=None))
    for part in ("fc1", "fc2"):
        first, second = (
            getattr(model.get_layer(f"block_{index}_feed_forward"), part)
            for index in range(2)
        )
        second.set_weights(first.get_weights())
    content = convert(model)
    smaller = unpack(content)
    inside = products_into_gelu(smaller)
    indices = [index for product in inside for index in (product.input, product.output)]
    image = np.random.default_rng(0).standard_normal((1, 32, 32, 3), "float32")
    assert len({product.weights for product in inside}) < len(inside)
    quantise_products(smaller, inside, ranges_of(smaller, indices, image, 1))
    quantise_weights(smaller)
    expected, found = (
        TfliteRuntime(file, 1)(image) for file in (content, pack(smaller))
    )
    np.testing.assert_allclose(found, expected, atol=0.05 * abs(expected).max())


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "float16", "dynamic", "int8"])
def test_cait_in_every_precision(cait, precision, tmp_path):
    report = to_tflite(
        cait,
        tmp_path / "cait.tflite",
        precision=precision,
        representative=SEEN if precision == "int8" else None,
    )
    assert report.comparison.relative_difference < 0.05
