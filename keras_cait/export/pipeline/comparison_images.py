"""Images to compare a model and its export on: an array, a folder, or photographs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cait.data.image_files import IMAGE_SUFFIXES, images_below
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.labeled_images import images_in_files
from keras_cait.data.permutation import shuffled_indices
from keras_cait.data.sources.unreadable_images import name_unreadable_images
from keras_cait.export.pipeline.photographs import DESCRIPTION, photographs
from keras_cait.export.pipeline.preparation import PreparedModel
from keras_cait.preprocessing import Preprocessing

MOST = 256  # images that are read


def images_to_compare(
    prepared: PreparedModel,
    images: np.ndarray | Path | str | None,
    photograph_size: tuple[int, int] | None = None,
) -> tuple[np.ndarray, str]:
    """Images in [0, 255] for a comparison, and their description for the report.

    Photographs if `images` is None; of the model's image size unless a size is given.
    """
    shape = tuple(prepared.model.input_shape[1:])
    if images is None:
        size = photograph_size or shape[:2]
        return photographs(size, channels=shape[2]), DESCRIPTION
    given = given_images("images", images, prepared)
    folder = isinstance(images, Path | str)
    return given, f"images of {images}" if folder else "images that were given"


def images_of(
    folder: Path, preprocessing: Preprocessing, channels: int = 3, most: int = MOST
) -> np.ndarray:
    """Images below a folder, resized and cropped for a model.

    Returns `(images, *image_size, channels)` uint8; of a larger folder a random sample
    of `most` images, the same in each call.
    """
    chosen = _chosen(_paths(folder), most)
    transform = EvaluationTransform.from_preprocessing(preprocessing, channels=channels)
    with name_unreadable_images(images_in_files(chosen, [0] * len(chosen))):
        return np.stack([transform(tf.io.read_file(path)).numpy() for path in chosen])


def labels_of(
    folder: Path, classes: int, names: Sequence[str] | None, most: int = MOST
) -> np.ndarray | None:
    """Class indices `(images,)` of the images that `images_of` reads, or None.

    Each image must be in a folder with the name of its class. Otherwise there must be
    as many folders as classes; sorted by name they are the class indices.
    """
    paths = _paths(folder)
    within = [Path(path).relative_to(folder).parts for path in paths]
    found = sorted({parts[0] for parts in within})
    if any(len(parts) < 2 for parts in within):
        return None
    if names is not None and set(found) <= set(names):
        found = list(names)
    elif len(found) != classes:
        return None
    number = {name: index for index, name in enumerate(found)}
    return np.array([number[parts[0]] for parts in _chosen(within, most)])


def _paths(folder: Path) -> list[str]:
    paths = images_below(folder)
    if not paths:
        kind = "without any" if Path(folder).is_dir() else "which is no folder"
        raise ValueError(
            f"Expected a folder of images ({', '.join(IMAGE_SUFFIXES)}). Received: "
            f"{folder}, {kind}."
        )
    return paths


def _chosen(paths: Sequence[Any], most: int) -> list[Any]:
    return [paths[index] for index in shuffled_indices(len(paths), most)]


def given_images(
    name: str, images: Any, prepared: PreparedModel, most: int = MOST
) -> np.ndarray:
    """Images of an argument, an array or a folder, as `(images, *input shape)` float32.

    Raises `ValueError` if they have another shape, or are not pixels in [0, 255].
    """
    shape = tuple(prepared.model.input_shape[1:])
    if isinstance(images, Path | str):
        images = images_of(Path(images), prepared.preprocessing, shape[-1], most)
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != shape or not len(images):
        raise ValueError(
            f"`{name}` must be of shape (images, {', '.join(map(str, shape))}), pixels "
            f"in [0, 255], or a folder of images. Received: shape={images.shape}"
        )
    images = images.astype("float32")
    if not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 255):
        raise ValueError(
            f"`{name}` must hold pixels in [0, 255]. Received: values in "
            f"[{images.min():g}, {images.max():g}]. Do not normalize them."
        )
    if images.max() <= 1 and images.any():
        raise ValueError(
            f"`{name}` must hold pixels in [0, 255]. Received: values up to "
            f"{images.max():g}, as of images in [0, 1]. Multiply them by 255."
        )
    return images
