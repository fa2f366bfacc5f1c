"""Compilation of an operation on one image to a single loop."""

import functools
from collections.abc import Callable

import tensorflow as tf

from keras_cait.typing import Tensor


def compiled(operation: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Runs an operation through XLA if the size of the image is known.

    The operation is a function of an image `(height, width, 3)` uint8 and of numbers,
    which it gets as float64 tensors. A dozen small steps write the image a dozen times;
    XLA makes one loop of them, three to ten times as fast on a CPU. XLA compiles once
    for each size, which takes a fraction of a second, so images of unknown size are not
    compiled.
    """
    quick = tf.function(operation, jit_compile=True, autograph=False)

    @functools.wraps(operation)
    def run(image: Tensor, *numbers: Tensor | float) -> Tensor:
        image = tf.convert_to_tensor(image, "uint8")
        known = image.shape.is_fully_defined()
        return (quick if known else operation)(image, *map(_double, numbers))

    return run


def _double(number: Tensor | float) -> Tensor:
    return tf.cast(tf.convert_to_tensor(number, dtype_hint="float64"), "float64")
