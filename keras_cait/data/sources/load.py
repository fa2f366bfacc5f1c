"""Loading of data sets by name or folder."""

from pathlib import Path

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.data.labeled_images import LabeledImages
from keras_cait.data.sources.digits import load_digits
from keras_cait.data.sources.evaluation_split import EvaluationSplit
from keras_cait.data.sources.folder import load_folder, load_test_folder
from keras_cait.data.sources.tfds import load_test_tfds, load_tfds
from keras_cait.range_check import check_range


def load_dataset(
    name: str | None = None,
    *,
    data_dir: Path | None = None,
    limit: int | None = None,
    test_split: str | None = None,
    validation_split: float | None = None,
    split_seed: int = 0,
) -> ImageDataset:
    """Loads digits, a folder of images, or a data set of TensorFlow Datasets.

    Args:
        name: "digits" (scikit-learn's, 8 x 8 pixels, nothing to download) or a
            name of TensorFlow Datasets such as "cifar10". None takes the folder
            `data_dir`, or digits if there is none.
        data_dir: A folder of `train/<class>/*` and `val/` or `test/`, or with
            `validation_split` one of `<class>/*`; with a name of TensorFlow
            Datasets, the folder of its files.
        limit: Largest number of training images, and of test images.
        test_split: Name of the split or folder to measure on; by default the first
            one with labels, of `test`, `validation` and `val` in TensorFlow
            Datasets, of `val`, `validation` and `test` in a folder.
        validation_split: Part of each class of a folder to measure on instead of
            training, above 0 and below 1; for folders without test images.
        split_seed: Seed of the choice of that part.

    Raises:
        ValueError: If there is no such data set, or its images are not usable.

    Example:
        >>> digits = load_dataset("digits")
        >>> digits.train.number + digits.test.number, digits.image_shape
        (1797, (8, 8, 1))

    """
    check_range(limit is None or limit >= 1, "1 or more", limit=limit)
    split = EvaluationSplit(name=test_split, fraction=validation_split, seed=split_seed)
    if name is None and data_dir is not None:
        return load_folder(data_dir, limit=limit, split=split)
    if name in (None, "digits"):
        return load_digits(limit=limit, split=split)
    return load_tfds(name, data_dir=data_dir, limit=limit, split=split)


def load_test_images(
    name: str | None = None,
    *,
    data_dir: Path | None = None,
    limit: int | None = None,
    test_split: str | None = None,
    validation_split: float | None = None,
    split_seed: int = 0,
) -> tuple[tuple[str, ...], LabeledImages]:
    """Class names and images to measure on, with the arguments of `load_dataset`.

    Training images are neither read nor required: `data_dir` holds `val/` or `test/`,
    or the class folders themselves, with all images unless `validation_split` is given.
    """
    check_range(limit is None or limit >= 1, "1 or more", limit=limit)
    split = EvaluationSplit(name=test_split, fraction=validation_split, seed=split_seed)
    if name is None and data_dir is not None:
        return load_test_folder(data_dir, limit=limit, split=split)
    if name not in (None, "digits"):
        return load_test_tfds(name, data_dir=data_dir, limit=limit, split=split)
    data = load_digits(limit=limit, split=split)
    return data.class_names, data.test
