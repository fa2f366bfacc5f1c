"""Images of a folder, as a model sees them."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_cait.data.datasets import in_random_order
from keras_cait.data.evaluation_view import EvaluationView
from keras_cait.data.folder import naming_the_corrupt
from keras_cait.models.preprocessing import Preprocessing

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif")  # what TensorFlow decodes
MOST = 256  # images that are read


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
    paths = sorted(
        str(path)
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    if not paths:
        raise ValueError(
            f"Expected a folder of images ({', '.join(SUFFIXES)}). Received: {folder}"
            f", {'without any' if Path(folder).is_dir() else 'which is no folder'}."
        )
    chosen = [paths[index] for index in in_random_order(len(paths), most)]
    view = EvaluationView(
        image_size=preprocessing.image_size,
        crop_pct=preprocessing.crop_pct,
        interpolation=preprocessing.interpolation,
        channels=channels,
    )
    with naming_the_corrupt(chosen):
        return np.stack([view(tf.io.read_file(path)).numpy() for path in chosen])
