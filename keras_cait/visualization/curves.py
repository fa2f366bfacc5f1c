"""Training curves as one picture."""

from collections.abc import Mapping
from typing import Any

from keras_cait.optional_packages import import_optional
from keras_cait.visualization.log_axis import use_log_axis

Curve = list[float]


def plot_curves(
    accuracies: Mapping[str, Curve], losses: Mapping[str, Curve], *, title: str
) -> Any:
    """Draws test accuracy and training loss over the epochs, side by side.

    Accuracies are in [0, 1]; a curve of one value is drawn as a level. Returns a
    matplotlib figure.
    """
    figures = import_optional("matplotlib.figure", "recipes")
    figure = figures.Figure(figsize=(11, 4.2), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2)
    for name, curve in accuracies.items():
        label = f"{name}: {100 * curve[-1]:.1f} %"
        if len(curve) == 1:
            left.axhline(100 * curve[0], label=label, color="gray", linestyle="--")
        else:
            epochs = range(1, len(curve) + 1)
            left.plot(epochs, [100 * value for value in curve], label=label)
    for name, curve in losses.items():
        right.plot(range(1, len(curve) + 1), curve, label=name)
    left.set(xlabel="epoch", ylabel="test accuracy in %")
    right.set(xlabel="epoch", ylabel="training loss")
    use_log_axis(right)
    for panel in (left, right):
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    return figure
