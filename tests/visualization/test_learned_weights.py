"""Gains, mixes of heads and position embeddings, as arrays and pictures."""

import numpy as np
import pytest

from keras_cait.layers.attention.talking_heads import mix_heads
from keras_cait.visualization import (
    draw_gains,
    draw_mixing_matrices,
    draw_position_similarity,
    layer_scale_gains,
    mixing_matrices,
    position_similarity,
)
from tests.support.models.tiny_models import (
    images,
    randomize,
    tiny_cait,
    tiny_deit,
    to_numpy,
)


def test_gains_are_those_of_the_blocks_in_order():
    model = tiny_cait(init_values=0.25)
    gains = layer_scale_gains(model)
    blocks = [f"block_{index}" for index in range(3)]
    blocks += ["class_block_0", "class_block_1"]
    assert list(gains) == [f"{name}_scale{part}" for name in blocks for part in (1, 2)]
    assert all(
        np.array_equal(row, np.full(32, 0.25, "float32")) for row in gains.values()
    )
    model.get_layer("block_1_scale2").gamma.assign(np.full(32, -2.0))
    figure = draw_gains(layer_scale_gains(model))
    figure.draw_without_rendering()
    (panel,) = figure.axes
    means = list(panel.lines[1].get_ydata())
    assert means == pytest.approx([0.25, 2, 0.25, 0.25, 0.25])
    low, high = panel.get_ylim()
    assert sum(low <= tick <= high for tick in panel.get_yticks()) >= 3
    (class_attention,) = panel.patches
    area = class_attention.get_extents().transformed(panel.transData.inverted())
    assert (area.x0, area.x1) == pytest.approx((2.5, 4.5))


def test_a_row_of_a_mixing_matrix_makes_a_mixed_head():
    model = randomize(tiny_cait())
    layer = model.get_layer("block_1_attention")
    matrices = mixing_matrices(model)
    assert list(matrices) == [f"block_{index}_attention" for index in range(3)]
    scores = images(2, 4, 5, 5)
    for place, kernel in (
        ("before", layer.proj_l_kernel),
        ("after", layer.proj_w_kernel),
    ):
        mixed = to_numpy(mix_heads(scores, kernel, np.zeros(4, "float32")))
        expected = np.einsum("gh,bhqk->bgqk", matrices[layer.name][place], scores)
        np.testing.assert_allclose(mixed, expected, rtol=1e-5, atol=1e-5)
    *panels, scale = draw_mixing_matrices(matrices).axes
    assert len(panels) == 6
    assert {panel.images[0].get_clim() for panel in panels} == {scale.get_ylim()}
    np.testing.assert_array_equal(
        panels[1].images[0].get_array(), matrices[layer.name]["before"]
    )


@pytest.mark.parametrize("make", [tiny_cait, tiny_deit])
def test_similarity_of_positions_leaves_out_the_prefix_tokens(make):
    model = randomize(make(input_shape=(24, 40, 3)))
    vectors = to_numpy(model.get_layer("position_embedding").position_embedding)
    patches = vectors[0, -15:].reshape(3, 5, 32)
    found = position_similarity(model)
    for row, column in np.ndindex(3, 5):
        norms = np.linalg.norm(patches, axis=-1) * np.linalg.norm(patches[row, column])
        expected = patches @ patches[row, column] / norms
        np.testing.assert_allclose(found[row, column], expected, rtol=1e-4, atol=1e-6)
    panel, scale = draw_position_similarity(found).axes
    assert scale.get_ylabel() == "cosine of two position embeddings"
    picture = panel.images[0].get_array()
    for row, column in np.ndindex(3, 5):
        tile = picture[4 * row : 4 * row + 3, 6 * column : 6 * column + 5]
        np.testing.assert_array_equal(tile, found[row, column])


def test_models_without_such_layers_are_refused():
    with pytest.raises(ValueError, match=r"LayerScale layers.*Received: 'deit"):
        layer_scale_gains(tiny_deit())
    with pytest.raises(ValueError, match=r"TalkingHeads layers.*Received: 'deit"):
        mixing_matrices(tiny_deit())
