"""Handwritten digits of scikit-learn: 1,797 real scans that need no download."""

import numpy as np

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.data.labeled_images import IndexedImages, images_in_memory
from keras_cait.data.permutation import shuffled_indices
from keras_cait.data.sources.evaluation_split import EvaluationSplit
from keras_cait.optional_packages import import_optional

_TEST_IMAGES = 500


def load_digits(*, limit: int | None, split: EvaluationSplit) -> ImageDataset:
    """The digits, split in the same way each time; see `load_dataset`."""
    split.check_no_fraction("digits")
    if split.name not in (None, "test"):
        raise ValueError(
            "`test_split` of digits must be 'test'. Received: "
            f"test_split={split.name!r}"
        )
    digits = import_optional("sklearn.datasets", "recipes").load_digits()
    pixels = np.round(digits.images * 255 / 16)  # scans have 17 levels, 0 to 16
    images = pixels.astype("uint8")[..., None]
    model_selection = import_optional("sklearn.model_selection", "recipes")
    parts = model_selection.train_test_split(
        images,
        digits.target,
        test_size=_TEST_IMAGES,
        random_state=0,
        stratify=digits.target,
    )
    return ImageDataset(
        name="digits",
        class_names=tuple(str(name) for name in digits.target_names),
        image_shape=images.shape[1:],
        train=_subset(parts[0], parts[2], limit),
        test=_subset(parts[1], parts[3], limit),
    )


def _subset(images: np.ndarray, labels: np.ndarray, limit: int | None) -> IndexedImages:
    chosen = shuffled_indices(len(labels), limit)
    return images_in_memory(images[chosen], labels[chosen])
