"""Distribution of the operations that RandAugment draws, and their application."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.augmentation.randaugment import RandAugment
from tests.support import reference

PHOTO = reference.numbers("randaugment_m9")["photo"]
DRAWS = 10_000
NONE = 15  # operations are counted from 0 to 14


def drawn(augment, number=DRAWS):
    """`number` draws of one epoch: arrays `(number, num_ops)`."""
    seeds = tf.data.Dataset.range(number)
    draws = seeds.map(lambda sample: augment.draw((7, sample)), tf.data.AUTOTUNE)
    return [each.numpy() for each in next(iter(draws.batch(number)))]


@pytest.fixture(scope="module")
def default_draws():
    return drawn(RandAugment())


def standard_errors(count, number, probability):
    """Distance of a count from the expected one, in standard deviations."""
    deviation = math.sqrt(number * probability * (1 - probability))
    return abs(count - number * probability) / deviation


def test_half_of_the_operations_are_applied(default_draws):
    applied = default_draws[0] != NONE
    for place in (0, 1):
        assert standard_errors(applied[:, place].sum(), DRAWS, 0.5) < 4
    for number, probability in enumerate((0.25, 0.5, 0.25)):
        of_that_many = (applied.sum(axis=1) == number).sum()
        assert standard_errors(of_that_many, DRAWS, probability) < 4


def test_operations_are_drawn_equally_often(default_draws):
    counts = np.bincount(default_draws[0].ravel(), minlength=NONE + 1)
    assert len(counts) == NONE + 1
    for count in counts[:NONE]:
        assert standard_errors(count, 2 * DRAWS, 0.5 / 15) < 4


def test_operations_are_drawn_with_replacement(default_draws):
    first, second = default_draws[0].T
    twice = ((first == second) & (first != NONE)).sum()
    assert standard_errors(twice, DRAWS, 0.25 / 15) < 4


def test_signs_are_even_for_every_operation(default_draws):
    operation, _, sign = default_draws
    assert set(sign.ravel()) == {-1, 1}
    assert standard_errors((sign < 0).sum(), 2 * DRAWS, 0.5) < 4
    for each in range(NONE):
        signs = sign[operation == each]
        assert standard_errors((signs < 0).sum(), len(signs), 0.5) < 4


def test_magnitudes_are_normal_and_clipped(default_draws):
    """Nine, give or take a half; two standard deviations above is the top."""
    magnitude = default_draws[1].ravel()
    normal = NormalDist(9, 0.5)
    assert magnitude.max() == 10
    top = 1 - normal.cdf(10)
    assert standard_errors((magnitude == 10).sum(), len(magnitude), top) < 4
    for part in (0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
        below = (magnitude < normal.inv_cdf(part)).sum()
        assert standard_errors(below, len(magnitude), part) < 4
    # The mean of what is left of a normal distribution cut off at two deviations.
    lost = 0.5 * (normal.pdf(10) * 0.5 - 2 * top)
    assert magnitude.mean() == pytest.approx(9 - lost, abs=0.015)
    assert magnitude.std() == pytest.approx(0.5, abs=0.02)


def test_magnitudes_are_independent_of_operations(default_draws):
    operation, magnitude, _ = default_draws
    means = [magnitude[operation == each].mean() for each in range(NONE + 1)]
    np.testing.assert_allclose(means, magnitude.mean(), atol=0.08)


def test_magnitudes_without_deviation_are_clipped():
    assert set(drawn(RandAugment(magnitude_std=0), 100)[1].ravel()) == {9}
    assert set(drawn(RandAugment(magnitude=30, magnitude_std=0), 100)[1].ravel()) == {
        10
    }
    assert drawn(RandAugment(magnitude=0, magnitude_std=3), 100)[1].min() == 0


def test_infinite_deviation_gives_uniform_magnitudes():
    magnitude = drawn(RandAugment(magnitude=8, magnitude_std=math.inf), 2000)[1].ravel()
    assert magnitude.max() < 8
    for part in (0.1, 0.5, 0.9):
        assert standard_errors((magnitude < 8 * part).sum(), 4000, part) < 4


def test_probability_and_number_of_operations():
    operation = drawn(RandAugment(prob=0.9, num_ops=3), 2000)[0]
    assert operation.shape == (2000, 3)
    assert standard_errors((operation != NONE).sum(), 6000, 0.9) < 4
    assert NONE not in drawn(RandAugment(prob=1.0), 2000)[0]
    assert set(drawn(RandAugment(prob=0.0), 2000)[0].ravel()) == {NONE}


@pytest.mark.parametrize("increasing", [True, False])
def test_drawn_operations_are_applied_in_order(increasing):
    augment = RandAugment(prob=0.9, num_ops=3, increasing=increasing, fill=(9, 8, 7))
    operations = list(augment.operations.values())
    for sample in range(12):
        expected = PHOTO
        for place, magnitude, sign in zip(*augment.draw((5, sample)), strict=True):
            if place < NONE:
                one = operations[int(place)]
                argument = one.argument(magnitude, sign)
                expected = one.transform(expected, argument, augment.fill)
        np.testing.assert_array_equal(augment(PHOTO, (5, sample)), expected)


def test_results_are_the_same_in_a_pipeline():
    augment = RandAugment(prob=0.9)
    images = tf.data.Dataset.from_tensors(PHOTO).repeat(24).enumerate()
    images = images.map(lambda sample, image: augment(image, (3, sample)), 2)
    assert images.element_spec == tf.TensorSpec(PHOTO.shape, tf.uint8)
    found = np.stack(list(images.as_numpy_iterator()))
    expected = np.stack([augment(PHOTO, (3, sample)) for sample in range(24)])
    np.testing.assert_array_equal(found, expected)
    assert len({image.tobytes() for image in found}) > 18


def test_images_of_any_size_are_augmented():
    """The pipeline has no static size before it reads an image."""
    images = tf.data.Dataset.from_generator(
        lambda: (PHOTO[: 40 + i] for i in range(8)),
        output_signature=tf.TensorSpec((None, None, 3), tf.uint8),
    )
    augment = RandAugment(prob=1.0)
    shapes = [x.shape for x in images.map(lambda image: augment(image, (0, 1)))]
    assert shapes == [(40 + i, 144, 3) for i in range(8)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rand-m9-mstd0.5-inc1", RandAugment()),
        (
            "rand",
            RandAugment(magnitude=10, magnitude_std=0, increasing=False),
        ),
        (
            "rand-n3-p0.25-m7-inc0",
            RandAugment(
                magnitude=7, magnitude_std=0, num_ops=3, prob=0.25, increasing=False
            ),
        ),
        (
            "rand-mstd101-inc1",
            RandAugment(magnitude=10, magnitude_std=math.inf),
        ),
    ],
)
def test_timms_names_give_their_settings(name, expected):
    assert RandAugment.from_name(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "augmix-m9",
        "rand-m",
        "rand-m9.5",
        "rand-m9-m8",
        "rand-w0",
        "rand-m9-",
        "rand-mmax12",
        "rand-m9-mstd-0.5",
    ],
)
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=r"rand-m9-mstd0\.5-inc1.*Received"):
        RandAugment.from_name(name)


@pytest.mark.parametrize(
    "setting",
    [{"magnitude": -1}, {"magnitude_std": -0.5}, {"num_ops": 0}, {"prob": 1.5}],
)
def test_settings_out_of_range_are_refused(setting):
    (name, value), *_ = setting.items()
    with pytest.raises(ValueError, match=f"Received: {name}={value}"):
        RandAugment(**setting)


def test_float_images_are_refused():
    with pytest.raises(ValueError, match="dtype=float32"):
        RandAugment()(tf.zeros((8, 8, 3)), (0, 1))
