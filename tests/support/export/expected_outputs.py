"""Outputs of exports, computed by the public functions of the package."""

import numpy as np

import keras_cait
from keras_cait.visualization import token_attention
from tests.support.models.tiny_models import to_numpy


def expected_outputs(model, images):
    """All outputs of a transformer for its inputs, by name; heads if it has two."""
    logits = keras_cait.separate_heads(model)(images, training=False)
    logits = {f"{head}_logits": to_numpy(rows) for head, rows in logits.items()}
    mean = np.mean(list(logits.values()), axis=0)
    exponentials = np.exp(mean - mean.max(axis=-1, keepdims=True))
    maps = token_attention(model, images)["class"].values()
    found = {
        "probabilities": exponentials / exponentials.sum(axis=-1, keepdims=True),
        "logits": mean,
        "features": features(model, images),
        "class_attention": np.concatenate(list(maps), axis=1),
    }
    return found | (logits if len(logits) == 2 else {})


def features(model, images):
    """The mean of the class and distillation token after the last norm."""
    norm = model.get_layer("norm").output
    reads = keras_cait.models.functional_model.with_outputs(model, norm)
    prefix = 2 if "distillation_token" in {row.name for row in model.layers} else 1
    return to_numpy(reads(images))[:, :prefix].mean(axis=1)


def assert_equal_outputs(found, expected, tolerance=1e-4):
    """Checks that two sets of outputs have the same names, and each the same values."""
    assert found.keys() == expected.keys()
    for name, rows in expected.items():
        assert np.ptp(rows) > 0.01, name  # answers that differ say something
        scale = np.abs(rows).max()
        np.testing.assert_allclose(
            found[name], rows, rtol=0, atol=tolerance * scale, err_msg=name
        )
