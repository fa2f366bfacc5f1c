"""Compiled operations give the results of the plain ones."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.augmentation.compilation import compiled
from keras_cait.data.augmentation.randaugment_levels import INCREASING
from tests.support import reference

PHOTO = reference.numbers("randaugment_m9")["photo"]


@pytest.mark.parametrize("name", INCREASING)
def test_images_of_unknown_size_give_the_same_result(name):
    operation = INCREASING[name]

    def run(image):
        nine, one = tf.constant(9.0, "float64"), tf.constant(1.0, "float64")
        return operation.transform(image, operation.argument(nine, one), (9, 8, 7))

    steps = tf.function(run, input_signature=[tf.TensorSpec((None, None, 3), tf.uint8)])
    difference = np.abs(steps(PHOTO).numpy().astype(int) - run(PHOTO))
    assert difference.max() <= 1
    assert difference.mean() < 0.003


def test_numbers_stay_float64_and_compile_once():
    traced = []

    @compiled
    def operation(image, number):
        traced.append(number.dtype)
        return tf.cast(number * 2.0**40, "int64")

    for number in (0.1, np.float64(0.3), tf.constant(0.7, "float64")):
        assert int(operation(PHOTO, number)) == int(float(number) * 2**40)
    assert traced == ["float64"]
