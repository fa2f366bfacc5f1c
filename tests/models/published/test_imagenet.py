import hashlib
import json

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.models.classes.imagenet_classes import imagenet_classes
from tests.support.models.tiny_models import tiny_deit, to_numpy

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), "uint8")


@pytest.mark.parametrize("dtype", ["uint8", "float32", "int32"])
@pytest.mark.parametrize("make", [np.asarray, keras.ops.convert_to_tensor])
def test_pixels_are_normalized_as_keras_does_it(make, dtype):
    theirs = keras.applications.imagenet_utils.preprocess_input(
        PIXELS.astype("float32"), data_format="channels_last", mode="torch"
    )
    given = make(PIXELS.astype(dtype))
    found = keras_cait.preprocess_input(given)
    assert isinstance(found, np.ndarray) == isinstance(given, np.ndarray)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_allclose(to_numpy(found), theirs, atol=1e-6)
    np.testing.assert_array_equal(to_numpy(given), PIXELS)  # left as it was


def test_pixels_are_normalized_as_the_models_do_it():
    model = keras_cait.DeiT_Ti(
        weights=None, input_shape=(16, 16, 3), include_preprocessing=True
    )
    inside = keras.Model(model.input, model.get_layer("preprocessing").output)
    pixels = np.resize(PIXELS, (1, 16, 16, 3)).astype("float32")
    found = to_numpy(inside(pixels))
    np.testing.assert_allclose(found, keras_cait.preprocess_input(pixels), atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [(np.zeros((2, 3, 8, 8)),), (np.zeros((8, 8, 3)), "channels_first")],
)
def test_channels_first_is_refused(arguments):
    with pytest.raises(ValueError, match=r"channels last.*Received: shape="):
        keras_cait.preprocess_input(*arguments)


def test_classes_are_those_that_keras_downloads():
    index = {str(i): list(row) for i, row in enumerate(imagenet_classes())}
    digest = hashlib.md5(json.dumps(index).encode(), usedforsecurity=False)
    # As in keras.applications.imagenet_utils for imagenet_class_index.json.
    assert digest.hexdigest() == "c2c37ea517e94d9795004a39431a14cb"


@pytest.mark.parametrize("make", [np.asarray, keras.ops.convert_to_tensor])
def test_best_classes_come_first(make):
    scores = np.zeros((2, 1000), "float32")
    scores[0, [1, 2, 999]] = 0.2, 0.5, 0.3
    scores[1, 0] = 1
    found = keras_cait.decode_predictions(make(scores), top=3)
    assert [row[1] for row in found[0]] == [
        "great_white_shark",
        "toilet_tissue",
        "goldfish",
    ]
    assert found[0][0] == ("n01484850", "great_white_shark", 0.5)
    assert found[1][0] == ("n01440764", "tench", 1.0)
    assert [len(rows) for rows in found] == [3, 3]


def test_classes_of_one_s_own_are_named():
    scores = np.array([[0.1, 0.7, 0.2]], "float32")
    expected = [[("b", "b", pytest.approx(0.7)), ("c", "c", pytest.approx(0.2))]]
    found = keras_cait.decode_predictions(scores, 2, class_names=["a", "b", "c"])
    assert found == expected
    model = tiny_deit(depth=1, classes=3, class_names=["a", "b", "c"])
    assert keras_cait.decode_predictions(scores, 2, model=model) == expected
    # ImageNet's, as a training on its folders names them.
    ids = [wordnet_id for wordnet_id, _ in imagenet_classes()]
    (row,) = keras_cait.decode_predictions(np.eye(1000)[[1]], 1, class_names=ids)
    assert row == [("n01443537", "goldfish", 1.0)]
    with pytest.raises(ValueError, match=r"\(batch, 1000\).*by `class_names`"):
        keras_cait.decode_predictions(scores, model=tiny_deit(depth=1, classes=3))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(batch, 1000\).*Received: shape=\(2, 10\)"):
        keras_cait.decode_predictions(np.zeros((2, 10)))
    with pytest.raises(ValueError, match=r"`top` must be in.*Received: top=0"):
        keras_cait.decode_predictions(np.zeros((2, 1000)), top=0)
