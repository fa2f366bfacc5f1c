"""Every signature equals the Keras model, and refuses malformed input."""

import dataclasses
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_cait
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.export.pipeline.preparation import prepare
from keras_cait.export.saved_model.saved_graph import SavedGraph
from keras_cait.export.saved_model.signatures import Signatures, served_outputs
from keras_cait.preprocessing import Preprocessing
from tests.support.data.photographs import encoded, photograph
from tests.support.export.malformed_images import corpus
from tests.support.export.served_models import LABELS, VIEW, distilled_deit
from tests.support.models.tiny_models import randomize, tiny_deit, tiny_regnety

PICTURES = [photograph(61, 83), photograph(200, 90, "flower.jpg"), photograph(8, 9)]
NAMED = ("probabilities", "features", "heads")
SLOWEST = 20  # seconds a request, on a machine that does ten things at once


def prepare_served(model):
    return prepare(model, outputs=served_outputs(model))


@pytest.fixture(scope="module")
def seen():
    """The pictures as the model is shown them."""
    views = [VIEW(tf.constant(picture)) for picture in PICTURES]
    return np.stack(views).astype("float32")


@pytest.fixture(scope="module")
def deit():
    return distilled_deit()


def test_serving_default_returns_the_classes_of_files(served, deit, seen):
    expected = deit.predict_on_batch(seen)
    found = served.top_classes(*(encoded(picture, "PNG") for picture in PICTURES))
    order = np.argsort(-expected, axis=-1, kind="stable")
    np.testing.assert_array_equal(found["indices"], order)
    scores = np.take_along_axis(expected, order, axis=-1)
    np.testing.assert_allclose(found["scores"], scores, rtol=1e-4)
    assert found["classes"].astype(str).tolist() == [
        [LABELS[index] for index in row] for row in order
    ]


def test_a_jpeg_is_transformed_as_in_evaluation(served, deit):
    file = encoded(PICTURES[0], quality=80)
    expected = deit.predict_on_batch(VIEW(tf.constant(file))[None])
    scores = np.sort(served.top_classes(file)["scores"])
    np.testing.assert_allclose(scores, np.sort(expected), rtol=1e-4)


def test_probabilities_equal_those_of_the_model(served, deit, seen):
    for picture, image in zip(PICTURES, seen, strict=True):
        (found,) = served.outputs("probabilities", picture[None]).values()
        expected = deit.predict_on_batch(image[None])
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_features_are_the_mean_of_both_tokens(served, deit, seen):
    tokens = keras.Model(deit.input, deit.get_layer("norm").output)
    expected = tokens.predict_on_batch(seen)[:, :2].mean(axis=1)
    for picture, wanted in zip(PICTURES, expected, strict=True):
        (found,) = served.outputs("features", picture[None]).values()
        np.testing.assert_allclose(found, wanted[None], rtol=1e-4, atol=1e-5)


def test_heads_equal_those_of_the_model(served, deit, seen):
    logits = keras_cait.separate_heads(deit).predict_on_batch(seen)
    for index, picture in enumerate(PICTURES):
        found = served.outputs("heads", picture[None])
        assert found.keys() == logits.keys() == {"class", "distillation"}
        for head in found:
            expected = keras.ops.softmax(logits[head][index : index + 1])
            np.testing.assert_allclose(found[head], expected, rtol=1e-4)


def test_features_of_a_convnet_are_the_mean_over_its_map():
    model = randomize(tiny_regnety(input_shape=(32, 32, 3), depth=4, wm=1.6))
    images = np.random.default_rng(0).standard_normal((2, 32, 32, 3), "float32")
    found = prepare(model, outputs=["features"]).predict(images)
    expected = keras.Model(model.input, model.get_layer("avg_pool").output)(images)
    assert found.keys() == {"features"}
    np.testing.assert_allclose(found["features"], expected, rtol=1e-5, atol=1e-6)


def test_images_are_cropped_and_normalized_by_the_preprocessing():
    model = randomize(tiny_deit(depth=1))  # without its own normalizing
    preprocessing = Preprocessing(
        image_size=(32, 32), crop_pct=0.7, mean=(0.1, 0.5, 0.6), std=(0.2, 0.3, 0.4)
    )
    prepared = dataclasses.replace(prepare_served(model), preprocessing=preprocessing)
    ask = Signatures(prepared, top=1).functions()["probabilities"]
    seen = EvaluationTransform(image_size=(32, 32), crop_pct=0.7)(
        tf.constant(PICTURES[0])
    )
    normalized = (seen.numpy()[None] / 255 - preprocessing.mean) / preprocessing.std
    expected = model.predict_on_batch(normalized.astype("float32"))
    (found,) = ask(tf.constant(PICTURES[0][None], "float32")).values()
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_an_empty_batch_gives_empty_outputs(served):
    assert served.top_classes()["scores"].shape == (0, 10)
    for signature in NAMED:
        for rows in served.outputs(signature, np.zeros((0, 9, 9, 3))).values():
            assert rows.shape in [(0, 10), (0, 32)]


def answered(ask, *arguments):
    """The answer, or None where the request is refused; never late."""
    started = time.perf_counter()
    try:
        return ask(*arguments)
    except tf.errors.InvalidArgumentError:
        return None
    finally:
        assert time.perf_counter() - started < SLOWEST


def check_probabilities(rows):
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows.sum(axis=-1), 1, rtol=1e-4)


def test_malformed_files_are_refused_or_give_probabilities(served):
    """All classes are asked for, so that scores must add up to 1."""
    files = corpus()
    assert len(files) == 100
    good = encoded(PICTURES[0], "PNG")
    expected = served.top_classes(good)["scores"]
    answers = [answered(served.top_classes, file) for file in files]
    for answer in filter(None, answers):
        check_probabilities(answer["scores"])
    # Flipped bits are pixels too; most of the others cannot be read.
    assert 50 < answers.count(None) < 100
    np.testing.assert_array_equal(served.top_classes(good)["scores"], expected)


def malformed_images():
    draws = np.random.default_rng(0)
    whole = draws.uniform(0, 255, (2, 20, 30, 3)).astype("float32")
    for value in (np.nan, np.inf, -np.inf):
        yield np.full((1, 5, 5, 3), value)
        for _ in range(10):  # one number of many
            spoilt = whole.copy()
            spoilt.ravel()[draws.integers(whole.size)] = value
            yield spoilt
    for number in (1e-45, 1e38, 3.4e38, -1e38, -1.0, 256.0, 1e6):
        yield np.full((1, 3, 3, 3), number)
    for sides in [(0, 5), (5, 0), (0, 0), (1, 1), (1, 2), (2, 1)]:
        yield np.zeros((1, *sides, 3))
        yield np.zeros((0, *sides, 3))
    for sides in [(1, 3000), (3000, 1), (2, 65_500), (65_500, 1), (1, 65_501)]:
        yield draws.uniform(0, 255, (1, *sides, 3))
    for _ in range(43):
        shape = (1, *draws.integers(1, 40, size=2), 3)
        yield draws.standard_normal(shape) * 10.0 ** draws.integers(-3, 9)


@pytest.mark.parametrize("signature", NAMED)
def test_malformed_arrays_are_refused_or_give_finite_outputs(signature, served):
    images = list(malformed_images())
    assert len(images) == 100
    refused = 0
    for batch in images:
        answer = answered(served.outputs, signature, batch)
        refused += answer is None
        assert (answer is None) or np.isfinite(batch).all()
        for name, rows in (answer or {}).items():
            assert len(rows) == len(batch)
            if name == "features":
                assert np.isfinite(rows).all()
            else:
                check_probabilities(rows)
    assert 33 < refused < 50


def test_wrong_shapes_are_refused_inside_the_graph(served):
    """TensorFlow Serving does not hold a request against the signature's shape.

    Nor does the part of a session below Python, where this asks.
    """
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(served.path))
        spec = loaded.signature_def["probabilities"]

        def tensor(one):
            return session.graph.get_tensor_by_name(one.name)._as_tf_output()

        fetches = [tensor(one) for one in spec.outputs.values()]

        def ask(images):
            session._extend_graph()
            feed = {tensor(spec.inputs["images"]): images}
            return session._call_tf_sessionrun(None, feed, fetches, [], None)

        assert ask(np.zeros((2, 4, 4, 3), "float32"))[0].shape == (2, 10)
        for shape in [(2, 4, 4, 4), (1, 4, 4, 1), (4, 4, 3), (1, 2, 4, 4, 3)]:
            expected = rf"images must be of shape .* Received: \[{shape[0]} {shape[1]} "
            with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
                ask(np.zeros(shape, "float32"))
        for shape in [(3, 3), (3,), ()]:
            with pytest.raises(tf.errors.InvalidArgumentError):
                ask(np.zeros(shape, "float32"))


def test_the_graph_has_no_python_and_no_xla(served):
    for signature in served.signatures:
        graph = SavedGraph(served.path, signature)
        assert not {"PyFunc", "EagerPyFunc"} & graph.operators().keys()
        assert graph.largest_rank() == 4
        assert not any(node.attr["_XlaMustCompile"].b for node in graph.nodes)


def test_grouped_convolutions_need_no_xla():
    """Keras compiles them by XLA, which a server may lack."""
    model = randomize(tiny_regnety(input_shape=(32, 32, 3), depth=4, wm=1.6))
    signatures = Signatures(prepare_served(model), top=1)
    graph = signatures.functions()["probabilities"].graph.as_graph_def()
    nodes = [node for one in graph.library.function for node in one.node_def]
    assert sum(node.op == "Conv2D" for node in nodes) > 4
    assert not any(node.attr["_XlaMustCompile"].b for node in nodes)
    assert not any(one.attr["_XlaMustCompile"].b for one in graph.library.function)


@pytest.mark.parametrize("top", [0, 11])
def test_a_top_of_0_or_more_than_the_classes_is_refused(top):
    with pytest.raises(ValueError, match=f"between 1 and the 10 .* top={top}"):
        Signatures(prepare_served(tiny_deit(depth=1)), top=top)


def test_a_model_of_four_channels_is_refused():
    model = tiny_deit(depth=1, input_shape=(16, 16, 4), include_preprocessing=True)
    with pytest.raises(ValueError, match=r"3 channels or 1\. Received: .* 4 channels"):
        Signatures(prepare_served(model), top=1)
