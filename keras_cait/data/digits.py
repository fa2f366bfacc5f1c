"""scikit-learn's handwritten digits: 1,797 real scans that need no download."""

import numpy as np
import tensorflow as tf

from keras_cait.data.datasets import ImageDataset, fit_image, in_random_order

_TEST_IMAGES = 500


def load_digits(*, image_size: int | None, limit: int | None) -> ImageDataset:
    """The digits, always split in the same way; see `load_dataset`."""
    from sklearn import datasets, model_selection

    digits = datasets.load_digits()
    pixels = np.round(digits.images * 255 / 16)  # scans have 17 levels, 0 to 16
    images = pixels.astype("uint8")[..., None]
    parts = model_selection.train_test_split(
        images,
        digits.target,
        test_size=_TEST_IMAGES,
        random_state=0,
        stratify=digits.target,
    )
    train = _subset(parts[0], parts[2], image_size, limit)
    test = _subset(parts[1], parts[3], image_size, limit)
    return ImageDataset(
        name="digits",
        class_names=tuple(str(name) for name in digits.target_names),
        image_shape=next(train.as_numpy_iterator())[0].shape,
        train=train,
        test=test,
        num_train=int(train.cardinality()),
        num_test=int(test.cardinality()),
    )


def _subset(
    images: np.ndarray, labels: np.ndarray, image_size: int | None, limit: int | None
) -> tf.data.Dataset:
    chosen = in_random_order(len(labels), limit)
    pairs = (images[chosen], labels[chosen].astype("int64"))
    dataset = tf.data.Dataset.from_tensor_slices(pairs)
    return dataset.map(
        lambda image, label: (fit_image(image, image_size), label)
    ).cache()
