"""Settings of the images: data set, folder and test split."""

from dataclasses import dataclass
from pathlib import Path

from keras_cait.data.labeled_images import LabeledImages
from keras_cait.data.sources.load import load_test_images
from keras_cait.training.settings.flags import option


@dataclass(frozen=True, kw_only=True)
class ImageSource:
    """Data set or folder of a program, and the images of it to test on."""

    dataset: str | None = option(None, '"digits", "cifar10" or any TFDS name')
    data_dir: Path | None = option(
        None, "folder of train/CLASS/* and val or test, or of CLASS/*"
    )
    test_split: str | None = option(
        None, "test folder or TFDS split; by default the first one with labels"
    )
    validation_split: float | None = option(
        None, "test part of each class, for a folder without val and test"
    )
    split_seed: int = option(0, "random seed of --validation-split")

    def test_images(self, limit: int | None) -> tuple[tuple[str, ...], LabeledImages]:
        """Loads names of the classes and test images, at most `limit`."""
        return load_test_images(
            self.dataset,
            data_dir=self.data_dir,
            limit=limit,
            test_split=self.test_split,
            validation_split=self.validation_split,
            split_seed=self.split_seed,
        )
