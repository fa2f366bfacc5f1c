"""A student with batch normalization trains alike on one replica and on two."""

import json

import keras
import numpy as np
import pytest

from keras_cait import Distiller
from keras_cait.training.devices.strategy import make_strategy, scope_of
from tests.support.graphs import optimized_graphs
from tests.support.models.distillation_models import weights_of

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute"
)
SHAPE, CLASSES = (8, 8, 3), 3


def block(x):
    x = keras.layers.Conv2D(4, 3, strides=2, use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.5)(x))


def make_model(seed):
    """One normalization at its top level, and one in a model within."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(SHAPE)
    within = keras.Input((3, 3, 4))
    x = keras.Model(within, keras.layers.GlobalAveragePooling2D()(block(within)))(
        block(inputs)
    )
    return keras.Model(inputs, keras.layers.Dense(CLASSES)(x))


def data(examples):
    rng = np.random.default_rng(0)
    images = rng.normal(1, 2, size=(examples, *SHAPE)).astype("float32")
    return images, rng.integers(0, CLASSES, examples)


def trained(strategy, examples, **options):
    with scope_of(make_strategy(strategy)):
        teacher = make_model(2)
        distiller = Distiller(make_model(1), teacher, "soft")
        distiller.compile(keras.optimizers.SGD(0.1), **options)
    taught = weights_of(teacher)
    log = distiller.fit(*data(examples), batch_size=8, shuffle=False, verbose=0)
    for path, weight in weights_of(teacher).items():
        np.testing.assert_array_equal(weight, taught[path], err_msg=path)
    return distiller, log.history


# Of 25 the last batch has one image, and one replica has none.
@pytest.mark.parametrize("examples", [25, pytest.param(27, marks=pytest.mark.slow)])
def test_one_and_two_replicas_agree(examples, tmp_path):
    with optimized_graphs():  # TensorFlow's own Conv2D of no images has a wrong shape
        (one, log), (two, other) = (
            trained(strategy, examples) for strategy in ("single", "mirrored:2")
        )
    for name, values in log.items():
        assert values == pytest.approx(other[name], rel=1e-5), name
    weights = one.student.get_weights(), two.student.get_weights()
    for weight, another in zip(*weights, strict=True):
        np.testing.assert_allclose(weight, another, atol=2e-6)
    # Saved it is what it was: other backends refuse synchronized layers.
    config = json.dumps(two.student.get_config())
    assert '"synchronized": false' in config
    assert '"synchronized": true' not in config


def test_xla_is_refused_for_synchronized_batch_normalization():
    with pytest.raises(ValueError, match=r"`jit_compile`.*BatchNormalization"):
        trained("mirrored:2", 8, jit_compile=True)
