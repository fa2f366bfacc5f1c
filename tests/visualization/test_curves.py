"""Curves of a log in a picture."""

from keras_cait.visualization.curves import plot_curves


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
