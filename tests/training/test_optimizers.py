"""AdamW spares what it should, and still does after it was saved."""

import keras
import numpy as np
import pytest

from keras_cait.training.optimizers import AdamW


def test_only_what_is_not_named_decays():
    """Without gradients a step is the weight decay alone."""
    optimizer = AdamW(0.1, weight_decay=0.5)
    names = ["kernel", "bias", "gamma", "class_token", "distillation_token"]
    weights = [keras.Variable(np.ones(2), name=name) for name in names]
    optimizer.build(weights)
    optimizer.apply([keras.ops.zeros(2) for _ in weights], weights)
    left = {w.name: float(keras.ops.convert_to_numpy(w.value)[0]) for w in weights}
    decayed = {name for name, value in left.items() if value < 1}
    assert decayed == {"kernel", "distillation_token"}
    assert left["kernel"] == pytest.approx(0.95)


def test_names_survive_saving():
    optimizer = AdamW(0.1, undecayed=("bias",))
    config = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(config)
    assert again.undecayed == ("bias",)
    assert again.epsilon == 1e-8
