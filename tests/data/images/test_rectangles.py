"""Random rectangles have the distribution of torchvision and timm."""

import math
import random

import numpy as np
import pytest
import tensorflow as tf

from keras_cait.data.images.rectangles import random_rectangle
from tests.support.data.draws import distance, distance_from_uniform, draws

CROP = {"area": (0.08, 1.0), "aspect": (3 / 4, 4 / 3), "whole": True}
HOLE = {"area": (0.02, 1 / 3), "aspect": (0.3, 1 / 0.3), "whole": False}


def one_after_the_other(height, width, area, aspect, whole, rng):
    """A rectangle the way it is described: try, and try again."""
    for _ in range(10):
        pixels = rng.uniform(*area) * height * width
        ratio = math.exp(rng.uniform(math.log(aspect[0]), math.log(aspect[1])))
        columns = round(math.sqrt(pixels * ratio))
        rows = round(math.sqrt(pixels / ratio))
        if columns <= width - (not whole) and rows <= height - (not whole):
            top, left = rng.randint(0, height - rows), rng.randint(0, width - columns)
            return True, top, left, rows, columns
    return False, 0, 0, 0, 0


@pytest.mark.parametrize("kind", [CROP, HOLE])
@pytest.mark.parametrize("size", [(375, 500), (224, 224), (500, 120), (32, 32)])
def test_ten_draws_at_once_are_distributed_as_ten_in_a_row(kind, size):
    fits, found = draws(lambda seed: random_rectangle(*size, seed, **kind))
    rng = random.Random(0)
    tries = [one_after_the_other(*size, **kind, rng=rng) for _ in range(10_000)]
    expected = np.array([numbers for (fit, *numbers) in tries if fit]).T
    # Samples of ten thousand from one distribution are hardly ever as far apart.
    assert abs(fits.mean() - len(expected[0]) / 10_000) < 0.03
    for of_field, expected_of_field in zip(found, expected, strict=True):
        assert distance(of_field[fits], expected_of_field) < 0.03
    area, expected_area = (n[-2] * n[-1] for n in (np.array(found), expected))
    assert distance(area[fits], expected_area) < 0.03


def test_area_aspect_and_place_are_uniform_if_all_fit():
    kind = {"area": (0.1, 0.4), "aspect": (0.5, 2.0), "whole": True}
    fits, found = draws(lambda seed: random_rectangle(1000, 1000, seed, **kind))
    assert fits.all()
    area = found.height * found.width / 1e6
    aspect = np.log(found.width / found.height)
    down = found.top / (1000 - found.height)
    across = found.left / (1000 - found.width)
    assert distance_from_uniform(area, 0.1, 0.4) < 0.02
    assert distance_from_uniform(aspect, -math.log(2), math.log(2)) < 0.02
    assert distance_from_uniform(down, 0, 1) < 0.02
    assert distance_from_uniform(across, 0, 1) < 0.02
    correlations = np.corrcoef([area, aspect, down, across]) - np.eye(4)
    assert np.abs(correlations).max() < 0.05


@pytest.mark.parametrize("kind", [CROP, HOLE])
def test_rectangles_lie_inside_and_reach_every_border(kind):
    fits, found = draws(lambda seed: random_rectangle(20, 12, seed, **kind))
    top, left, height, width = (np.array(field)[fits] for field in found)
    assert top.min() == left.min() == 0
    assert (top + height).max() == 20
    assert (left + width).max() == 12
    assert height.min() >= 1
    assert width.min() >= 1
    assert width.max() == (12 if kind["whole"] else 11)


def test_no_rectangle_fits_an_area_that_is_too_large():
    kind = {"area": (1.0, 1.0), "aspect": (1.0, 1.0), "whole": True}
    fits, _ = draws(lambda seed: random_rectangle(10, 20, seed, **kind), 100)
    assert not fits.any()
    fits, _ = draws(lambda seed: random_rectangle(20, 20, seed, **kind), 100)
    assert fits.all()
    kind["whole"] = False
    fits, _ = draws(lambda seed: random_rectangle(20, 20, seed, **kind), 100)
    assert not fits.any()


def test_equal_seeds_give_equal_rectangles():
    def drawn(seed):
        fits, rectangle = random_rectangle(375, 500, seed, **CROP)
        return bool(fits), *map(int, rectangle)

    assert drawn((1, 2)) == drawn(tf.constant([1, 2])) != drawn((1, 3))
