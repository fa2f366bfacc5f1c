"""Which images a model is measured on."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EvaluationSplit:
    """The choice between the test images that a data set has, or can spare.

    Attributes:
        name: A folder, or a split of TensorFlow Datasets; None for the first that
            there is with labels.
        fraction: Part of the training images of each class that is kept for it, for
            folders without test images; above 0 and below 1.
        seed: Of the choice of that part.

    Raises:
        ValueError: If the fraction is out of its range, or both are given.

    """

    name: str | None = None
    fraction: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.fraction is None:
            return
        if not 0 < self.fraction < 1:
            raise ValueError(
                "`validation_split` must be above 0 and below 1. Received: "
                f"validation_split={self.fraction}"
            )
        if self.name is not None:
            raise ValueError(
                "Test images come from a split that is there or from the training "
                f"images. Received: test_split={self.name!r} and "
                f"validation_split={self.fraction}"
            )

    def check_no_fraction(self, source: str) -> None:
        """Refuses a fraction for images that have test images of their own."""
        if self.fraction is not None:
            raise ValueError(
                "`validation_split` is for folders without test images. Received: "
                f"validation_split={self.fraction} with {source}"
            )
