import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.models.logits import logits_from, output_kind
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_deit,
    tiny_regnety,
    to_numpy,
    without_values,
)

L = keras.layers


def functional(*layers):
    """A functional model of layers, one after the other, on four features."""
    x = inputs = keras.Input((4,))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def sequential(*layers):
    return keras.Sequential([keras.Input((4,)), *layers])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(3, activation="softmax")

    def call(self, inputs):
        return self.dense(inputs)


PROBABILITIES = {
    "dense": lambda: functional(L.Dense(3, activation="softmax")),
    "activation": lambda: functional(L.Dense(3), L.Activation("softmax")),
    "softmax": lambda: functional(L.Dense(3), L.Softmax()),
    "cast": lambda: functional(
        L.Dense(3, activation="softmax"), L.Activation("linear", dtype="float32")
    ),
    "dropout": lambda: functional(L.Dense(3, activation="softmax"), L.Dropout(0.1)),
    "sequential": lambda: sequential(L.Dense(3, activation="softmax")),
    "nested": lambda: functional(
        L.Dense(5, activation="relu"), functional_on(5, L.Dense(3), L.Softmax())
    ),
    "nested sequential": lambda: functional(
        keras.Sequential([keras.Input((4,)), L.Dense(3, activation="softmax")])
    ),
    "deit": lambda: tiny_deit(depth=1),
    "distilled": lambda: tiny_deit(depth=1, distilled=True),
    "regnety": tiny_regnety,
}
LOGITS = {
    "dense": lambda: functional(L.Dense(3)),
    "activation": lambda: functional(L.Dense(3), L.Activation("linear")),
    "convolution": lambda: functional(
        L.Reshape((2, 2, 1)), L.Conv2D(3, 2), L.Flatten()
    ),
    "nested": lambda: functional(functional(L.Dense(3))),
    "nested sequential": lambda: functional(sequential(L.Dense(3))),
    "deit": lambda: tiny_deit(depth=1, classifier_activation=None),
    "distilled": lambda: tiny_deit(depth=1, distilled=True, classifier_activation=None),
    "regnety": lambda: tiny_regnety(classifier_activation=None),
}
UNKNOWN = {
    "sigmoid": lambda: functional(L.Dense(3, activation="sigmoid")),
    "relu": lambda: functional(L.Dense(3), L.ReLU()),
    "pooling": lambda: functional(
        L.Reshape((2, 2, 1)), L.Conv2D(3, 1), L.GlobalAveragePooling2D()
    ),
    "norm": lambda: functional(L.Dense(3), L.BatchNormalization()),
    "subclassed": Subclassed,
    "unbuilt": lambda: keras.Sequential([L.Dense(3)]),
    "no top": lambda: tiny_deit(depth=1, include_top=False, pooling="token"),
}


def functional_on(features, *layers):
    x = inputs = keras.Input((features,))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize("make", PROBABILITIES.values(), ids=PROBABILITIES)
def test_probabilities_are_recognized(make):
    assert output_kind(make()) == "probabilities"


@pytest.mark.parametrize("make", LOGITS.values(), ids=LOGITS)
def test_logits_are_recognized(make):
    assert output_kind(make()) == "logits"


@pytest.mark.parametrize("make", UNKNOWN.values(), ids=UNKNOWN)
def test_other_outputs_have_no_kind(make):
    model = make()
    assert output_kind(model) is None
    with pytest.raises(ValueError, match=r"functional classifier.*Received: "):
        keras_cait.separate_heads(model)


@pytest.mark.parametrize(
    ("activation", "kind"), [("softmax", "probabilities"), (None, "logits")]
)
def test_a_model_of_keras_applications(activation, kind):
    with without_values():
        model = keras.applications.MobileNetV2(
            weights=None,
            classes=10,
            input_shape=(32, 32, 3),
            classifier_activation=activation,
        )
    assert output_kind(model) == kind


@pytest.mark.parametrize("make", PROBABILITIES.values(), ids=PROBABILITIES)
def test_softmax_of_the_heads_mean_is_the_output(make):
    model = randomize(make())
    x = images(5, *model.input_shape[1:])
    heads = keras_cait.separate_heads(model)(x, training=False)
    mean = sum(heads.values()) / len(heads)
    expected = to_numpy(model(x, training=False))
    np.testing.assert_allclose(to_numpy(keras.ops.softmax(mean)), expected, atol=1e-6)


@pytest.mark.parametrize("make", LOGITS.values(), ids=LOGITS)
def test_mean_of_the_heads_is_the_output(make):
    model = randomize(make())
    x = images(5, *model.input_shape[1:])
    heads = keras_cait.separate_heads(model)(x, training=False)
    expected = to_numpy(model(x, training=False))
    mean = to_numpy(sum(heads.values()) / len(heads))
    np.testing.assert_allclose(mean, expected, rtol=1e-5, atol=1e-6)


def test_heads_share_the_model_s_weights():
    model = tiny_deit(depth=1, distilled=True)
    heads = keras_cait.separate_heads(model)
    shapes = {name: output.shape for name, output in heads.output.items()}
    assert shapes == {"class": (None, 10), "distillation": (None, 10)}
    ours, theirs = ({id(w) for w in m.weights} for m in (heads, model))
    assert ours == theirs


def test_logits_of_probabilities_have_the_same_softmax():
    probabilities = np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]], "float32")
    logits = logits_from(probabilities, "probabilities")
    assert np.all(np.isfinite(to_numpy(logits)))
    softmax = to_numpy(keras.ops.softmax(logits))
    np.testing.assert_allclose(softmax, probabilities, atol=1e-6)
    assert logits_from(probabilities, "logits") is probabilities


def test_heads_hidden_in_a_wrapper_are_refused():
    inner = tiny_deit(distilled=True)
    inputs = keras.Input((32, 32, 3))
    wrapper = keras.Model(inputs, inner(L.Rescaling(2.0)(inputs)))
    with pytest.raises(ValueError, match="hide its distillation head"):
        keras_cait.separate_heads(wrapper)
