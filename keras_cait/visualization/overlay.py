"""A map of patches over its image."""

import keras
import numpy as np

from keras_cait.optional_packages import import_optional


def resized_map(scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A map of patches at the size of its image, in [0, 1].

    The smallest score becomes 0 and the largest 1; a map of one value becomes 0.
    Between the centers of patches it is bilinear.

    Args:
        scores: `(rows, columns)`.
        size: Height and width of the image in pixels.

    Returns:
        `(height, width)` float32.

    Example:
        >>> resized_map(np.array([[1.0, 3.0]]), (1, 4)).tolist()
        [[0.0, 0.25, 0.75, 1.0]]

    """
    scores = np.asarray(scores, "float32")
    scores = scores - scores.min()
    scores = scores / (scores.max() or 1)
    resized = keras.ops.image.resize(
        scores[..., None], size, "bilinear", data_format="channels_last"
    )
    return np.array(keras.ops.convert_to_numpy(resized))[..., 0]


def overlay(
    image: np.ndarray, scores: np.ndarray, *, opacity: float = 0.6
) -> np.ndarray:
    """An image with a map of its patches over it, dark to light.

    Args:
        image: `(height, width, 3)`, gray levels in [0, 255].
        scores: `(rows, columns)`, of any range, such as a map of
            `attention_rollout`.
        opacity: Weight of the map, 0 to 1.

    Returns:
        `(height, width, 3)` uint8.

    Raises:
        ValueError: If a shape is wrong, or the opacity is out of range.

    Example:
        >>> picture = overlay(np.full((8, 12, 3), 128), np.array([[0.0, 1.0]]))
        >>> picture.shape, bool(picture[4, 11].sum() > picture[4, 0].sum())
        ((8, 12, 3), True)

    """
    image, scores = np.asarray(image), np.asarray(scores)
    if image.ndim != 3 or image.shape[-1] != 3 or scores.ndim != 2:
        raise ValueError(
            "Expected an image (height, width, 3) and a map (rows, columns). Received: "
            f"shapes {image.shape} and {scores.shape}"
        )
    if not 0 <= opacity <= 1:
        raise ValueError(f"`opacity` must be 0 to 1. Received: opacity={opacity}")
    strength = resized_map(scores, (image.shape[0], image.shape[1]))
    colormaps = import_optional("matplotlib", "recipes").colormaps
    colors = colormaps["inferno"](strength)[..., :3]  # of [0, 1], and without opacity
    mixed = (1 - opacity) * image + opacity * 255 * colors
    return np.clip(np.rint(mixed), 0, 255).astype("uint8")
