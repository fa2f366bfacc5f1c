"""A SavedModel with a wrong output in any signature is refused."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.export.pipeline.comparison import worst
from keras_cait.export.pipeline.photographs import photographs
from keras_cait.export.pipeline.preparation import prepare
from keras_cait.export.saved_model.check import check_signatures, check_warmup
from keras_cait.export.saved_model.signatures import served_outputs
from tests.support.data.photographs import encoded, photograph
from tests.support.export.served_models import LABELS, VIEW, distilled_deit

FILE = encoded(photograph(61, 83))
PIXELS = photographs((75, 100), number=3).astype("uint8")


@pytest.fixture(scope="module")
def prepared():
    deit = distilled_deit()
    return prepare(deit, labels=LABELS, outputs=served_outputs(deit))


def spoilt(served, signature, output, spoil):
    """The signatures, one of them with an output that is spoilt."""

    def model(images):
        found = served.signatures[signature](images=images)
        return {**found, output: tf.constant(spoil(found[output].numpy()))}

    return {**served.signatures, signature: model}


def check(loaded, prepared):
    return check_signatures(loaded, prepared, PIXELS, FILE)


def test_the_largest_difference_is_that_of_all_signatures(served, prepared):
    exact = check(served.signatures, prepared)
    names = ["scores", "probabilities", "class", "distillation", "features"]
    assert sorted(exact) == sorted(names)
    assert worst(list(exact.values())).relative_difference < 1e-5
    loaded = spoilt(served, "features", "features", lambda rows: rows * (1 + 5e-5))
    largest = np.max(np.abs(served.outputs("features", PIXELS)["features"]))
    compared = check(loaded, prepared)
    assert compared["features"].top1_agreement is None
    found = worst(list(compared.values()))
    assert (found.images, found.top1_agreement) == (3, 1)
    assert found.relative_difference == pytest.approx(5e-5, rel=0.2)
    assert found.largest_difference == pytest.approx(5e-5 * largest, rel=0.2)


def last_changed(rows):
    """Another answer for the last row, which is the JPEG's."""
    return np.concatenate([rows[:-1], rows[-1:, ::-1]])


@pytest.mark.parametrize(
    ("signature", "output", "spoil", "said"),
    [
        ("serving_default", "classes", lambda rows: np.roll(rows, 1, 1), "must name"),
        ("serving_default", "classes", last_changed, "must name class"),
        ("serving_default", "scores", last_changed, "must equal the Keras model"),
        ("serving_default", "indices", last_changed, "must name class"),
        ("probabilities", "probabilities", lambda rows: rows * 1.001, "must equal"),
        ("features", "features", lambda rows: rows * 1.001, "must equal"),
        ("heads", "distillation", lambda rows: rows * 1.001, "must equal"),
    ],
)
def test_a_wrong_output_is_refused(signature, output, spoil, said, served, prepared):
    loaded = spoilt(served, signature, output, spoil)
    with pytest.raises(ValueError, match=said):
        check(loaded, prepared)


def test_resizing_is_compared(served, prepared):
    """By images that a model without its view would be shown otherwise."""

    def stretched(images):
        small = tf.image.resize(images, VIEW.image_size)
        return served.signatures["probabilities"](images=small)

    with pytest.raises(ValueError, match="must equal the Keras model"):
        check({**served.signatures, "probabilities": stretched}, prepared)


def failing(images):
    raise tf.errors.InvalidArgumentError(None, None, "no such images")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (failing, r"warm-up requests\. Received: no such images of 'features'"),
        (lambda images: {"features": tf.fill((1, 32), np.nan)}, "not finite"),
        (lambda images: {"features": tf.zeros((0, 32))}, r"shape \(0, 32\) for 1"),
    ],
)
def test_a_failed_warm_up_request_is_refused(model, said, served):
    check_warmup(served.path, served.signatures)
    signatures: Any = {**served.signatures, "features": model}
    with pytest.raises(ValueError, match=said):
        check_warmup(served.path, signatures)


def test_every_signature_needs_a_warm_up_request(served):
    signatures: Any = {**served.signatures, "other": failing}
    with pytest.raises(ValueError, match=r"warm-up request for each of .*'other'"):
        check_warmup(served.path, signatures)
