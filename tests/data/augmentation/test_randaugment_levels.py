"""Operations and levels of RandAugment equal timm's."""

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.augmentation.randaugment_levels import INCREASING, ORIGINAL
from tests.support import reference

NUMBERS = reference.numbers("randaugment_m9")
FILL = (124, 116, 104)

# At magnitudes 0, 2.5, 7 and 10 with the negative sign, as timm 1.0.31 gives them.
MOVES = {"Rotate": 30, "ShearX": 0.3, "ShearY": 0.3}
MOVES |= {"TranslateXRel": 0.45, "TranslateYRel": 0.45}
ENHANCES = ["Color", "Contrast", "Brightness", "Sharpness"]
LEVELS = {name: [0, -0.25 * most, -0.7 * most, -most] for name, most in MOVES.items()}
LEVELS |= {"SolarizeAdd": [0, 27, 77, 110]}
LEVELS_INCREASING = LEVELS | {
    "PosterizeIncreasing": [4, 3, 2, 0],
    "SolarizeIncreasing": [256, 192, 77, 0],
    **{f"{name}Increasing": [1, 0.775, 0.37, 0.1] for name in ENHANCES},
}
LEVELS_ORIGINAL = LEVELS | {
    "Posterize": [0, 1, 2, 4],
    "Solarize": [0, 64, 179, 256],
    **{name: [0.1, 0.55, 1.36, 1.9] for name in ENHANCES},
}


def double(number):
    return tf.constant(number, "float64")


def argument(operation, magnitude, sign):
    return operation.argument(double(magnitude), double(sign)).numpy()


@pytest.mark.parametrize("sign", ["plus", "minus"])
@pytest.mark.parametrize("name", INCREASING)
def test_operations_equal_timms(name, sign):
    """To the last bit, but for a hundredth of the pixels after a move."""
    operation = INCREASING[name]
    found = argument(operation, 9.0, 1.0 if sign == "plus" else -1.0)
    expected = NUMBERS[f"{name}/{sign}/args"]
    if expected.size:
        np.testing.assert_array_equal(found, expected[0])
    image = operation.transform(NUMBERS["photo"], found, FILL).numpy()
    difference = np.abs(image.astype(int) - NUMBERS[f"{name}/{sign}"])
    assert difference.max() <= 1
    assert difference.mean() < 0.01


@pytest.mark.parametrize("name", INCREASING)
def test_every_operation_changes_the_photo(name):
    changed = NUMBERS[f"{name}/plus"].astype(int) - NUMBERS["photo"]
    assert np.abs(changed).mean() > 1


@pytest.mark.parametrize(
    ("operations", "levels"),
    [(INCREASING, LEVELS_INCREASING), (ORIGINAL, LEVELS_ORIGINAL)],
)
def test_levels_equal_timms(operations, levels):
    magnitudes = (0.0, 2.5, 7.0, 10.0)
    for name, expected in levels.items():
        found = [argument(operations[name], each, -1.0) for each in magnitudes]
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=name)


def test_order_is_timms():
    named = [key.split("/")[0] for key in NUMBERS if key.endswith("/plus")]
    assert list(INCREASING) == named
    assert list(ORIGINAL) == [name.removesuffix("Increasing") for name in named]
