"""Test of a classifier's accuracy against that of guessing."""

import numpy as np
from scipy.stats import binomtest


def chance_p_value(labels: np.ndarray, chosen: np.ndarray) -> float:
    """Probability of at least this accuracy for guesses that ignore the image.

    An exact one-sided binomial test; `labels` and `chosen` are `(images,)` classes. If
    each class is guessed as often as it was predicted, a guess is right with
    probability `sum over classes of part of the labels * part of the predictions`, the
    agreement by chance of Cohen's kappa. A classifier that always predicts the most
    common class is therefore no better than chance.

    Reference:
        Cohen, A coefficient of agreement for nominal scales, Educational and
        Psychological Measurement 20(1), 1960,
        https://doi.org/10.1177/001316446002000104
    """
    classes = 1 + int(max(labels.max(), chosen.max()))
    parts = [np.bincount(x, minlength=classes) / len(x) for x in (labels, chosen)]
    chance = min(1.0, float(parts[0] @ parts[1]))
    right = int(np.sum(labels == chosen))
    return float(binomtest(right, len(labels), chance, alternative="greater").pvalue)
