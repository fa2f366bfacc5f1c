"""Images that someone gives, in a folder or an array, as a model sees them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cait.data.image_dataset import in_random_order
from keras_cait.data.image_files import SUFFIXES, images_below
from keras_cait.data.images.evaluation_transform import EvaluationView
from keras_cait.data.sources.folder import naming_the_corrupt
from keras_cait.preprocessing import Preprocessing

MOST = 256  # images that are read

ImageShape = tuple[int, ...]
"""Height, width and channels."""


def images_of(
    folder: Path, preprocessing: Preprocessing, channels: int = 3, most: int = MOST
) -> np.ndarray:
    """Images in a folder and the folders in it, resized and cropped for a model.

    Args:
        folder: Where they are.
        preprocessing: The model's.
        channels: 3 or 1.
        most: Of more images so many are drawn, the same ones each time.

    Returns:
        `(images, *image_size, channels)` uint8 in [0, 255].

    Raises:
        ValueError: If there is no image, or a file is none.

    """
    chosen = _chosen(_paths(folder), most)
    view = EvaluationView(
        image_size=preprocessing.size,
        crop_pct=preprocessing.crop_pct,
        interpolation=preprocessing.interpolation,
        channels=channels,
    )
    with naming_the_corrupt(chosen):
        return np.stack([view(tf.io.read_file(path)).numpy() for path in chosen])


def labels_of(
    folder: Path, classes: int, names: Sequence[str] | None, most: int = MOST
) -> np.ndarray | None:
    """The class of each image that `images_of` reads, where the folders tell it.

    They do if each image is in a folder of its class, which is called as the class is,
    or if there are as many folders as classes, which are then in alphabetical order.

    Args:
        folder: Where the folders are.
        classes: Number of classes.
        names: Of the classes, if known.
        most: As for `images_of`.

    Returns:
        `(images,)`, or None where the folders do not tell.

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
        raise ValueError(
            f"Expected a folder of images ({', '.join(SUFFIXES)}). Received: {folder}"
            f", {'without any' if Path(folder).is_dir() else 'which is no folder'}."
        )
    return paths


def _chosen(paths: Sequence[Any], most: int) -> list[Any]:
    return [paths[index] for index in in_random_order(len(paths), most)]


def given_images(
    name: str,
    images: Any,
    preprocessing: Preprocessing,
    shape: ImageShape,
    most: int = MOST,
) -> np.ndarray:
    """Pixels in [0, 255] of an array or of a folder, `(images, *shape)` float32.

    Args:
        name: What the images are called in an error.
        images: What was given: an array of them, or a folder.
        preprocessing: How those of a folder are brought to the model's size.
        shape: Height, width and channels.
        most: Of more images in a folder so many are drawn.

    Raises:
        ValueError: If they are of another shape, or no pixels.

    """
    if isinstance(images, Path | str):
        images = images_of(Path(images), preprocessing, channels=shape[-1], most=most)
    return checked_pixels(name, images, shape)


def checked_pixels(name: str, images: Any, shape: ImageShape) -> np.ndarray:
    """Pixels in [0, 255], `(images, *shape)` float32.

    Args:
        name: What the images are called in an error.
        images: What was given for them.
        shape: Height, width and channels.

    Raises:
        ValueError: If they are of another shape, or no pixels.

    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != tuple(shape) or not len(images):
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
