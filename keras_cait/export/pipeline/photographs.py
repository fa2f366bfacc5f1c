"""Default images to compare a model with its export."""

import numpy as np
import tensorflow as tf

from keras_cait.optional_packages import import_optional

DESCRIPTION = "crops of the two photographs in scikit-learn"


def photographs(
    image_size: tuple[int, int], number: int = 16, channels: int = 3
) -> np.ndarray:
    """Crops of two photographs, a temple and a flower, of random places and scales.

    Returns `(number, *image_size, channels)` float32, whole numbers in [0, 255]; the
    same images in each call. One channel gives gray images.

    Example:
        >>> photographs((32, 48), number=4).shape
        (4, 32, 48, 3)

    """
    pictures = import_optional("sklearn.datasets", "export").load_sample_images().images
    draws = np.random.default_rng(0)
    crops = []
    for index in range(number):
        picture = pictures[index % len(pictures)]
        side = int(min(picture.shape[:2]) * draws.uniform(0.25, 1.0))
        top = draws.integers(picture.shape[0] - side + 1)
        left = draws.integers(picture.shape[1] - side + 1)
        window = picture[top : top + side, left : left + side]
        crops.append(tf.image.resize(window, image_size, antialias=True))
    images = tf.round(tf.clip_by_value(tf.stack(crops), 0, 255))
    if channels == 1:
        images = tf.round(tf.image.rgb_to_grayscale(images))
    return images.numpy()
