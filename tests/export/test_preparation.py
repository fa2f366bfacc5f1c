"""What exporters know of a model before they write it."""

import numpy as np
import pytest
from keras_cait.export.preparation import images_to_compare, prepare

from tests.models.samples import tiny_cait, tiny_deit


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_normalised_as_the_model_would(channels):
    shape = {"input_shape": (16, 16, channels)}
    outside = prepare(tiny_deit(**shape))
    inside = prepare(tiny_deit(**shape, include_preprocessing=True))
    inside.reference.set_weights(outside.reference.get_weights())
    pixels, _ = images_to_compare(outside, None)
    np.testing.assert_allclose(
        outside.expected(outside.normalised(pixels)),
        inside.expected(inside.normalised(pixels)),
        rtol=1e-5,
    )


def test_logits_become_probabilities():
    found = prepare(tiny_cait(classifier_activation=None), labels=list("abcdefghij"))
    inputs = found.normalised(images_to_compare(found, None)[0])
    np.testing.assert_allclose(found.expected(inputs).sum(axis=-1), 1, rtol=1e-5)
    assert found.labels == tuple("abcdefghij")


def test_what_cannot_be_exported():
    with pytest.raises(ValueError, match=r"10 classes.*Received: 2 labels"):
        prepare(tiny_deit(), labels=["a", "b"])
    with pytest.raises(ValueError, match="include_top=True"):
        prepare(tiny_deit(include_top=False))
    with pytest.raises(ValueError, match=r"`images` must be of shape"):
        images_to_compare(prepare(tiny_deit()), np.zeros((2, 8, 8, 3)))
