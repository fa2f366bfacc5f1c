"""Recomputing the inside of a layer changes neither its output nor its training."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.layers import (
    ClassAttention,
    FeedForward,
    SelfAttention,
    TalkingHeads,
)
from tests.support.models.tiny_models import images, tiny_cait, tiny_deit, tiny_deit3

LAYERS = [
    lambda **options: SelfAttention(num_heads=2, **options),
    lambda **options: TalkingHeads(num_heads=2, **options),
    lambda **options: ClassAttention(num_heads=2, **options),
    lambda **options: FeedForward(hidden_dim=8, **options),
]


def trained(family, recompute, **compile_options):
    """Losses and weights of three steps from the same start, on the same images."""
    keras.utils.set_random_seed(0)
    model = family(recompute=recompute, drop_path_rate=0.3, depth=1)
    model.compile(
        keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **compile_options
    )
    labels = np.arange(6) % 10
    losses = [model.train_on_batch(images(6, 32, 32, 3), labels) for _ in range(3)]
    return np.ravel(losses), model.get_weights()


FAMILIES = [(tiny_cait, True)]  # of talking heads, class attention and feed-forward
if keras.backend.backend() == "tensorflow":
    # With XLA it is slow there, and JAX runs that too.
    FAMILIES = [pytest.param(tiny_cait, True, marks=pytest.mark.slow)]
    FAMILIES += [(tiny_cait, False), (tiny_deit, False), (tiny_deit3, False)]


@pytest.mark.parametrize(("family", "jit_compile"), FAMILIES)
def test_a_recomputed_layer_trains_the_same(family, jit_compile):
    losses, weights = trained(family, False, jit_compile=jit_compile)
    found_losses, found_weights = trained(family, True, jit_compile=jit_compile)
    assert losses[0] != losses[-1]
    np.testing.assert_allclose(found_losses, losses, rtol=1e-5)
    for found, expected in zip(found_weights, weights, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("make", LAYERS)
def test_the_configuration_contains_recompute(make):
    layer = make(recompute=True)
    assert type(layer).from_config(layer.get_config()).recompute is True
    assert make().recompute is False


@pytest.mark.parametrize("make", LAYERS)
def test_recompute_with_dropout_is_refused(make):
    with pytest.raises(ValueError, match=r"`recompute` needs.*dropout_rate=0\.1"):
        make(recompute=True, dropout_rate=0.1)


def test_a_recomputed_layer_returns_its_attention():
    model = tiny_cait(recompute=True)
    maps = keras_cait.attention_maps(model, images(1, 32, 32, 3))
    assert maps["block_0_attention"].shape == (1, 4, 16, 16)


if keras.backend.backend() == "jax":
    # What TensorFlow's tape keeps cannot be counted; test_jax_backend.py runs this.
    @pytest.mark.parametrize("make", LAYERS)
    def test_keeps_less_for_the_gradient(make):
        import jax

        def kept(recompute):
            layer = make(recompute=recompute)
            layer.build((None, 64, 4))
            start = [[v.value for v in layer.trainable_variables], []]
            start[1] = [v.value for v in layer.non_trainable_variables]

            def forward(weights, x):
                return layer.stateless_call(weights, start[1], x, training=True)[0]

            x = np.ones((2, 64, 4), "float32")
            _, gradient = jax.vjp(forward, start[0], x)
            return sum(leaf.size for leaf in jax.tree.leaves(gradient))

        assert kept(True) < 0.7 * kept(False)
