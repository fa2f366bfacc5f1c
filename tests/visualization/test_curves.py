"""Curves of a log in a picture."""

import itertools

import numpy as np
import pytest

from keras_cait.visualization.curves import plot_curves


def labels_of(axis):
    """The labels of the ticks that are drawn."""
    low, high = axis.get_view_interval()
    ticks = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
    return [text.get_text() for place, text in ticks if low <= place <= high]


def test_curves_are_drawn_with_levels_and_legends(tmp_path):
    figure = plot_curves(
        {"student": [0.5, 0.75], "teacher": [0.9]}, {"student": [1.0, 0.5]}, title="T"
    )
    left, right = figure.axes
    assert list(left.lines[0].get_ydata()) == [50, 75]
    assert left.lines[1].get_ydata()[0] == 90
    assert [text.get_text() for text in left.get_legend().get_texts()] == [
        *["student: 75.0 %", "teacher: 90.0 %"]
    ]
    assert list(right.lines[0].get_xdata()) == [1, 2]
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("first", "last"), [(2.3, 0.04), (2.3, 1e-5), (6.9, 1.6), (2.31, 2.27), (0.5, 0.5)]
)
def test_panels_do_not_overlap_and_the_loss_has_three_labels(first, last):
    losses = {"student": np.geomspace(first, last, 8).tolist()}
    figure = plot_curves({"student": [0.1, 0.985]}, losses, title="digits, 8 pixels")
    figure.draw_without_rendering()
    left, right = figure.axes
    assert left.get_tightbbox().x1 < right.get_tightbbox().x0
    labels = labels_of(right.yaxis)
    assert len(set(labels)) == len(labels) >= 3
    extents = [text.get_window_extent() for text in right.yaxis.get_ticklabels()]
    assert all(low.y1 < high.y0 for low, high in itertools.pairwise(extents))
    assert all(float(label) == int(label) for label in labels_of(left.xaxis))
