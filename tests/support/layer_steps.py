"""Outputs and gradients of one layer in training, on either backend."""

import keras

from tests.support.layer_harness import normal, to_numpy


def outputs_and_gradients(layer, inputs, *, jit_compile=False):
    """Outputs of a built layer, and gradients of a linear loss of them, by name.

    The gradients are of the inputs and of every weight. JAX always compiles.
    """
    coefficients = normal(layer.compute_output_shape(inputs.shape), seed=9).astype(
        inputs.dtype
    )
    weights = layer.trainable_variables

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        @tf.function(jit_compile=jit_compile)
        def step(inputs):
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = layer(inputs, training=True)
                loss = tf.reduce_sum(outputs * coefficients)
            return outputs, tape.gradient(loss, [inputs, *[w.value for w in weights]])

        outputs, gradients = step(tf.constant(inputs))
    else:
        import jax

        def forward(inputs, values):
            outputs, _ = layer.stateless_call(
                values,
                [v.value for v in layer.non_trainable_variables],
                inputs,
                training=True,
            )
            return (outputs * coefficients).sum(), outputs

        step = jax.jit(jax.value_and_grad(forward, argnums=(0, 1), has_aux=True))
        (_, outputs), (of_inputs, of_weights) = step(
            inputs, [weight.value for weight in weights]
        )
        gradients = [of_inputs, *of_weights]
    names = ["outputs", "inputs", *(weight.path for weight in weights)]
    arrays = [to_numpy(keras.ops.convert_to_tensor(x)) for x in (outputs, *gradients)]
    return dict(zip(names, arrays, strict=True))
