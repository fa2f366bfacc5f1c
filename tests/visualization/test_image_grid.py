"""Images in a grid, pixel for pixel, with captions below them."""

import itertools

import numpy as np
import pytest
from PIL import Image

from keras_cait.visualization.image_grid import draw_image_grid

GAP, CAPTION = 6, 30  # pixels around an image, and below it


@pytest.mark.parametrize(("size", "factor"), [((5, 40), 3), ((120, 150), 1)])
def test_every_image_is_in_its_place(size, factor, tmp_path):
    height, width = size
    images = np.random.default_rng(0).integers(0, 255, (2, 3, *size, 3), dtype="uint8")
    figure = draw_image_grid(images, [["", "", ""]] * 2)
    figure.savefig(tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as picture:
        grid = np.asarray(picture.convert("RGB"))
    tall, wide = factor * height + GAP + CAPTION, factor * width + GAP
    assert grid.shape == (GAP + 2 * tall, GAP + 3 * wide, 3)
    for row, column in np.ndindex(2, 3):
        top, left = GAP + tall * row, GAP + wide * column
        found = grid[top : top + factor * height, left : left + factor * width]
        np.testing.assert_array_equal(found[::factor, ::factor], images[row, column])
    assert (grid[GAP + factor * height : GAP + tall] == 255).all()


def test_captions_lie_below_their_images_and_do_not_overlap():
    images = np.zeros((2, 2, 24, 24, 3), "uint8")
    long = "Mixup: 63 % a great white shark, 37 % a tiger shark of the tropical seas"
    figure = draw_image_grid(images, [["day, evaluation", "epoch 1"], [long, "x" * 99]])
    figure.draw_without_rendering()
    texts = figure.axes[0].texts
    assert texts[0].get_text() == "day, evaluation"
    assert texts[2].get_text().startswith("Mixup: 63 % a great\nwhite shark")
    assert texts[2].get_text().endswith("...")
    extents = [text.get_window_extent() for text in texts]
    for one, other in itertools.combinations(extents, 2):
        assert not one.overlaps(other)
    bottom = (
        figure.bbox.y1 - GAP - 120
    )  # of the first row's images: 24 pixels five times
    assert all(0 <= bottom - extent.y1 < 10 for extent in extents[:2])
    assert extents[3].x1 <= figure.bbox.x1
