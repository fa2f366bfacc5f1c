"""Images in a grid, on white."""

import numpy as np

from keras_cait.visualization.image_grid import image_grid


def test_every_image_is_in_its_place():
    images = np.random.default_rng(0).integers(0, 255, (2, 3, 5, 7, 3), dtype="uint8")
    grid = image_grid(images, gap=2)
    assert grid.shape == (2 + 2 * 7, 2 + 3 * 9, 3)
    for row in range(2):
        for column in range(3):
            top, left = 2 + 7 * row, 2 + 9 * column
            found = grid[top : top + 5, left : left + 7]
            np.testing.assert_array_equal(found, images[row, column])
    assert (grid[:2] == 255).all()
    assert (grid[7:9] == 255).all()
    assert (grid[:, -2:] == 255).all()
