import re

import keras
import pytest

from tests.support.layer_harness import normal
from tests.support.on_jax import run_on_jax


def operands_of_largest_fusion(depth):
    """Operands of the largest fused operation in the gradient that XLA compiles."""
    import jax

    import keras_cait

    model = keras_cait.CaiT(
        input_shape=(64, 64, 3), patch_size=16, embed_dim=64, depth=depth, num_heads=2
    )

    def loss(weights, images):
        outputs, _ = model.stateless_call(weights, [], images, training=True)
        return -jax.numpy.log(outputs[:, 0]).mean()

    weights = [variable.value for variable in model.trainable_variables]
    images = normal((2, 64, 64, 3))
    compiled = jax.jit(jax.grad(loss)).lower(weights, images).compile().as_text()
    operands = re.findall(r" fusion\(([^)]*)\)", str(compiled))
    return max(names.count(",") + 1 for names in operands)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="needs JAX's compiler")
def test_no_operation_reads_all_blocks():
    """Else a step's time grows with the square of the depth."""
    assert operands_of_largest_fusion(2) == operands_of_largest_fusion(4)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="runs on JAX already")
@pytest.mark.slow
def test_on_jax():
    run_on_jax("tests/models/test_compiled_gradient.py")
