"""Decision whether an export is close enough to the Keras model to be kept."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from keras_cait.export.pipeline.comparison import Comparison

AGREEMENT = 0.95
"""Fraction of the images whose predicted class an export with 8-bit weights must keep.
A trained model that kept 95 to 97 % of 1,000 lost 0.0 to 0.5 points of accuracy: the
classes that change places are about equally likely."""
ACCURACY_LOSS = 0.01
"""Accuracy that an export may lose, where the labels are known."""
REPORT_IT = (
    "please report the model and the versions of tensorflow and of the converter."
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Decision whether an export is kept."""

    passed: bool
    reason: str  # the requirement and the measured value
    details: dict[str, Any] = field(default_factory=dict)  # for the report

    def enforce(
        self, advice: str = REPORT_IT, *, keep_anyway: bool | None = None
    ) -> None:
        """Raises `ValueError` with the advice if the export did not pass.

        With `keep_anyway` the reason is added to `details` instead; None for a format
        without this option, which the error then does not mention.
        """
        if self.passed:
            return
        if keep_anyway:
            self.details["did not pass"] = self.reason
            return
        option = (
            " `keep_anyway=True` keeps it, and its report says that it did not pass."
        )
        raise ValueError(
            f"{self.reason}. Nothing was written; {advice}"
            + ("" if keep_anyway is None else option)
        )


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """Requires that each passes; the reason is that of the first that does not."""
    decisive = next((each for each in verdicts if not each.passed), verdicts[0])
    details: dict[str, Any] = {}
    for each in reversed(verdicts):
        details |= each.details
    return replace(decisive, details=details)


def by_difference(found: Mapping[str, Comparison], tolerance: float) -> Verdict:
    """Requires a relative difference of at most `tolerance` from each output."""
    received = ", ".join(
        f"{each.relative_difference:.2g} over {each.images} images in {name}"
        for name, each in found.items()
    )
    return Verdict(
        passed=all(each.relative_difference <= tolerance for each in found.values()),
        reason=f"The export must equal the Keras model to {tolerance:g} of the largest "
        f"value of each output. Received: {received}",
    )


def by_predictions(
    expected: np.ndarray,
    actual: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    is_close: bool = False,
) -> Verdict:
    """Requires nearly the same predicted classes, and the accuracy if labels are known.

    The largest difference between probabilities says little about a trained model: it
    occurs where two classes are equally likely, whatever the mean error is. Both
    numbers are estimates from a sample. So an export is refused only if even the
    favorable end of the 95 % confidence interval is beyond the limit: an agreement
    below 95 %, or a loss of accuracy above one percentage point. If all outputs are
    within the tolerance (`is_close`), only classes that are almost equally likely can
    change places, and only the accuracy counts.
    """
    same = expected.argmax(axis=-1) == actual.argmax(axis=-1)
    lowest, highest = wilson_interval(int(same.sum()), len(same))
    passed = is_close or highest >= AGREEMENT
    reason = (
        f"The export must keep the likeliest class of {100 * AGREEMENT:g} % of the "
        f"images. Received: {100 * same.mean():.1f} % of {len(same)} (95 % confidence "
        f"interval {100 * lowest:.1f} to {100 * highest:.1f} %)"
    )
    details: dict[str, Any] = {
        "agreement": float(same.mean()),
        "agreement, images": len(same),
        "agreement, 95 % interval": [round(lowest, 3), round(highest, 3)],
    }
    if labels is not None:
        before = expected.argmax(axis=-1) == labels
        after = actual.argmax(axis=-1) == labels
        change = before.astype("float64") - after
        loss, error = change.mean(), change.std() / math.sqrt(len(change))
        details["accuracy of Keras"] = float(before.mean())
        details["accuracy of the export"] = float(after.mean())
        reason += (
            f", and lose no more than {100 * ACCURACY_LOSS:g} percentage point of "
            f"accuracy. Received: {100 * before.mean():.1f} % before, "
            f"{100 * after.mean():.1f} % after"
        )
        passed = passed and loss - 1.96 * error <= ACCURACY_LOSS
    return Verdict(passed=bool(passed), reason=reason, details=details)


def wilson_interval(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Confidence interval of a proportion, accurate for small samples too.

    Source: Wilson, Probable inference, the law of succession, and statistical
    inference, Journal of the American Statistical Association 22, 1927.
    """
    part = count / total
    center = part + z * z / (2 * total)
    spread = z * math.sqrt(part * (1 - part) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return (center - spread) / scale, min(1.0, (center + spread) / scale)
