"""Distribution and arithmetic of Mixup and CutMix."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.mixing import Mixing

DRAWS = 10_000
SIZE = (24, 40)  # height and width
CLASSES = 5


@functools.cache
def draws(mixing):
    """Share, kind and box of so many batches, as arrays."""

    @tf.function
    def draw_all():
        seeds = tf.stack([tf.range(DRAWS), tf.fill([DRAWS], 7)], axis=1)
        kinds = (tf.float32, tf.bool, tf.int32)
        return tf.map_fn(
            lambda seed: tuple(mixing.draw(seed, tf.constant(SIZE))),
            seeds,
            fn_output_signature=kinds,
        )

    return [values.numpy() for values in draw_all()]


def batch(examples=4, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.uniform(0, 255, (examples, *SIZE, 3)).astype("float32")
    return images, rng.integers(0, CLASSES, examples)


def smooth(labels, smoothing):
    return (1 - smoothing) * np.eye(CLASSES)[labels] + smoothing / CLASSES


@pytest.mark.parametrize("alpha", [0.8, 1.0, 0.01])
def test_mixup_shares_have_the_moments_of_beta(alpha):
    """Mean, variance and fourth moment, within four standard errors."""
    shares, is_cutmix, _ = draws(Mixing(mixup_alpha=alpha, cutmix_alpha=0.0))
    assert not is_cutmix.any()
    assert np.isfinite(shares).all()
    centered = shares.astype("float64") - 0.5
    variance = 1 / (4 * (2 * alpha + 1))
    fourth = variance**2 * (3 - 6 / (2 * alpha + 3))
    eighth = np.mean(centered**8)
    for found, expected, spread in [
        (centered, 0, variance),
        (centered**2, variance, fourth - variance**2),
        (centered**4, fourth, eighth - fourth**2),
    ]:
        assert abs(found.mean() - expected) < 4 * (spread / DRAWS) ** 0.5


def largest_gap(found, expected):
    """Distance of two cumulative distributions, divided by its 1 % level."""
    points = np.union1d(found, expected)
    counts = [np.searchsorted(np.sort(x), points, "right") for x in (found, expected)]
    gap = np.abs(counts[0] - counts[1]).max() / DRAWS
    return gap / (1.63 * (2 / DRAWS) ** 0.5)


def test_mixup_shares_are_distributed_as_beta_of_numpy():
    shares, _, _ = draws(Mixing(cutmix_alpha=0))
    assert largest_gap(shares, np.random.default_rng(0).beta(0.8, 0.8, DRAWS)) < 1


@pytest.mark.parametrize(
    ("prob", "switch_prob"), [(1.0, 0.5), (1.0, 0.2), (0.7, 0.5), (0.0, 1.0)]
)
def test_mixup_and_cutmix_have_their_probabilities(prob, switch_prob):
    shares, is_cutmix, _ = draws(Mixing(prob=prob, switch_prob=switch_prob))
    rate = prob * switch_prob
    error = 4 * (rate * (1 - rate) / DRAWS) ** 0.5
    assert abs(is_cutmix.mean() - rate) <= error
    if prob < 1:  # a whole image otherwise only where a box is empty
        whole = (shares == 1) & ~is_cutmix
        error = 4 * (prob * (1 - prob) / DRAWS) ** 0.5
        assert abs(whole.mean() - (1 - prob)) <= error


def test_cutmix_share_is_the_area_outside_the_box():
    shares, is_cutmix, boxes = draws(Mixing(mixup_alpha=0.0))
    top, bottom, left, right = boxes.T
    assert is_cutmix.all()
    for first, behind, side in ((top, bottom, SIZE[0]), (left, right, SIZE[1])):
        assert (first >= 0).all()
        assert (first <= behind).all()
        assert (behind <= side).all()
    area = (bottom - top) * (right - left)
    left_over = (1 - area / (SIZE[0] * SIZE[1])).astype("float32")
    np.testing.assert_array_equal(shares, left_over)


def test_cutmix_boxes_have_the_place_and_size_of_the_paper():
    """Size and place are distributed as where each step is done with NumPy."""
    rng = np.random.default_rng(0)
    sides = np.sqrt(1 - rng.beta(1, 1, (DRAWS, 1))) * SIZE // 1
    centers = rng.integers(0, SIZE, (DRAWS, 2))
    first = np.maximum(centers - sides // 2, 0)
    behind = np.minimum(centers + (sides + 1) // 2, SIZE)
    _, _, boxes = draws(Mixing(mixup_alpha=0.0))
    top, bottom, left, right = boxes.T
    for found, expected in [
        (top, first[:, 0]),
        (bottom, behind[:, 0]),
        (left, first[:, 1]),
        (right, behind[:, 1]),
        ((bottom - top) * (right - left), (behind - first).prod(1)),
        (top * right, first[:, 0] * behind[:, 1]),
    ]:
        assert largest_gap(found, expected) < 1


@pytest.mark.parametrize("examples", [4, 5])
def test_mixup_equals_its_formula(examples):
    mixing = Mixing(cutmix_alpha=0.0)
    images, labels = batch(examples)
    mixed, targets = mixing(images, labels, (0, 1), CLASSES)
    share = mixing.draw((0, 1), SIZE).share.numpy()
    expected = share * images + (1 - share) * images[::-1]
    np.testing.assert_allclose(mixed, expected, rtol=1e-6)
    whole = smooth(labels, 0.1)
    expected = share * whole + (1 - share) * whole[::-1]
    np.testing.assert_allclose(targets, expected, atol=1e-6)


def test_cutmix_pastes_the_box_of_the_partner():
    mixing = Mixing(mixup_alpha=0.0, label_smoothing=0.0)
    images, labels = batch()
    pasted = 0
    for seed in range(5):
        mixed, targets = mixing(images, labels, (0, seed), CLASSES)
        share, _, (top, bottom, left, right) = mixing.draw((0, seed), SIZE)
        expected = images.copy()
        box = np.s_[:, int(top) : int(bottom), int(left) : int(right)]
        expected[box] = images[::-1][box]
        np.testing.assert_array_equal(mixed, expected)
        other = np.mean(np.any(mixed != images, axis=-1))
        assert float(share) == pytest.approx(1 - other, abs=1e-6)
        share, whole = float(share), np.eye(CLASSES)[labels]
        expected = share * whole + (1 - share) * whole[::-1]
        np.testing.assert_allclose(targets, expected, atol=1e-6)
        pasted += other > 0
    assert pasted >= 3


def test_without_alphas_only_labels_are_smoothed():
    images, labels = batch()
    mixed, targets = Mixing(mixup_alpha=0.0, cutmix_alpha=0.0)(
        images, labels, (0, 0), CLASSES
    )
    np.testing.assert_array_equal(mixed, images)
    np.testing.assert_allclose(targets, smooth(labels, 0.1), atol=1e-7)


def test_at_probability_0_images_are_unchanged():
    images, labels = batch()
    mixed, targets = Mixing(prob=0.0)(images, labels, (0, 0), CLASSES)
    np.testing.assert_array_equal(mixed, images)
    np.testing.assert_allclose(targets, smooth(labels, 0.1), atol=1e-7)


def test_every_seed_gives_its_own_mixture_in_a_pipeline():
    images, labels = batch(6)
    data = tf.data.Dataset.from_tensor_slices((images, labels)).repeat(20)
    data = data.batch(6, drop_remainder=True).enumerate()
    data = data.map(lambda step, pair: Mixing()(*pair, [step, 0], CLASSES))
    shapes = tf.nest.map_structure(lambda spec: spec.shape, data.element_spec)
    assert shapes == ((6, *SIZE, 3), (6, CLASSES))
    once, again = ([y.numpy() for _, y in data] for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert len({targets.tobytes() for targets in once}) == 20
    np.testing.assert_allclose(np.sum(once, axis=-1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"mixup_alpha": -0.1},
        {"cutmix_alpha": float("inf")},
        {"mixup_alpha": float("nan")},
        {"prob": 1.5},
        {"switch_prob": -1.0},
        {"label_smoothing": 1.0},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"`{name}` must be .* {name}={value}"):
        Mixing(**wrong)
