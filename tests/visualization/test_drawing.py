"""Maps over images, and pictures of attention."""

import numpy as np
import pytest

from keras_cait.visualization import (
    attention_rollout,
    draw_overlays,
    draw_token_attention,
    overlay,
    token_attention,
)
from keras_cait.visualization.overlay import resized_map
from tests.support.models.tiny_models import images, randomize, tiny_cait


def test_a_map_lies_over_its_part_of_a_wide_image():
    image = np.full((240, 400, 3), 100, "uint8")
    for row, column in np.ndindex(3, 5):
        scores = np.zeros((3, 5))
        scores[row, column] = 1e-3  # maps have any range
        light = overlay(image, scores).astype(int).sum(-1)
        y, x = 80 * row + 40, 80 * column + 40
        assert light[y, x] > 0.97 * light.max()  # the center lies between pixels
        far = light[(120 + 80 * (row + 1)) % 240, (40 + 80 * (column + 2)) % 400]
        assert far == light.min()


def test_opacity_0_is_the_image_and_1_the_map():
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), "uint8")
    scores = np.array([[0.0, 1.0]])
    np.testing.assert_array_equal(overlay(image, scores, opacity=0), image)
    black = overlay(image, scores, opacity=1)[:, 0]
    assert black.max() <= 4
    one_value = overlay(image, np.ones((2, 2)))  # nothing stands out
    np.testing.assert_allclose(one_value, 0.4 * image, atol=3)


def test_resizing_is_monotonous_between_two_patches():
    resized = resized_map(np.array([[0.2, 0.7], [0.2, 0.7]]), (64, 64))
    assert (resized.min(), resized.max()) == (0, 1)
    assert (np.diff(resized, axis=1) >= 0).all()


@pytest.mark.parametrize(
    ("image", "scores", "opacity", "message"),
    [
        ((8, 8), (2, 2), 0.5, r"\(height, width, 3\).*Received: shapes \(8, 8\)"),
        ((8, 8, 3), (1, 2, 2), 0.5, r"shapes \(8, 8, 3\) and \(1, 2, 2\)"),
        ((8, 8, 3), (2, 2), 1.5, "`opacity` must be 0 to 1. Received: opacity=1.5"),
    ],
)
def test_wrong_arguments_of_an_overlay_are_refused(image, scores, opacity, message):
    with pytest.raises(ValueError, match=message):
        overlay(np.zeros(image), np.zeros(scores), opacity=opacity)


def test_pictures_have_a_panel_for_each_head_and_map(tmp_path):
    model = randomize(tiny_cait(input_shape=(24, 40, 3), distilled=True))
    x = images(1, 24, 40, 3)
    photo = np.full((24, 40, 3), 128, "uint8")
    blocks = {
        name: maps[0] for name, maps in token_attention(model, x)["class"].items()
    }
    figure = draw_token_attention(photo, blocks, title="class")
    assert len(figure.axes) == 2 * (1 + 4)
    assert figure.axes[0].get_title() == "class_block_0_attention\nmean of heads"
    scores = blocks["class_block_1_attention"][1]
    np.testing.assert_array_equal(figure.axes[7].images[0].get_array(), scores)
    title = figure.axes[7].get_title()
    assert title == f"head 1, up to {100 * scores.max():.0f} %"
    maps = {name: scores[0] for name, scores in attention_rollout(model, x).items()}
    figure = draw_overlays(photo, maps)
    titles = [panel.get_title() for panel in figure.axes]
    assert titles == ["image", "class", "distillation"]
    figure.savefig(tmp_path / "rollout.png")
    assert (tmp_path / "rollout.png").read_bytes().startswith(b"\x89PNG")
