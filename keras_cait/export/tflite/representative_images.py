"""Images that show which values a model computes with."""

import hashlib
from pathlib import Path

import numpy as np

from keras_cait.export.pipeline.comparison_images import given_images
from keras_cait.export.pipeline.preparation import PreparedModel

FEWEST = 16
"""The range of each tensor is that of all values seen. The largest of them grow with
the images, slowly after the first dozen; one image alone, or a few, cut off what
others need, and the model answers wrongly without any sign of it."""
MOST_REPRESENTATIVE = 200  # images that are read of a folder


def check_representative(
    representative: np.ndarray | Path | str | None, precision: str
) -> None:
    """Raises `ValueError` unless images are given if, and only if, they are needed."""
    if precision == "int8" and representative is None:
        raise ValueError(
            '`precision="int8"` needs `representative`: at least '
            f"{FEWEST} images such as the model will see, an array of pixels in "
            "[0, 255] or a folder. Received: representative=None. Without any, "
            '`precision="dynamic"` has weights of the same size.'
        )
    if precision != "int8" and representative is not None:
        raise ValueError(
            '`representative` is for `precision="int8"`. Received: '
            f"precision={precision!r}, which needs none."
        )


def representative_images(
    representative: np.ndarray | Path | str, prepared: PreparedModel
) -> np.ndarray:
    """Pixels in [0, 255] of the model's shape, float32.

    Args:
        representative: An array of them, or a folder of images, of which 200 are
            drawn if there are more.
        prepared: The model.

    Raises:
        ValueError: If they are of another shape, or no pixels, or fewer than 16 of
            them differ from one another and show more than one color.

    """
    images = given_images(
        "representative", representative, prepared, most=MOST_REPRESENTATIVE
    )
    telling = number_of_telling(images)
    if telling < FEWEST:
        found = f"{len(images)} images"
        if telling < len(images):
            found += f", of which {telling} differ and are not of one color"
        raise ValueError(
            f"`representative` must hold {FEWEST} images or more, better 100, that "
            "differ from one another and show what the model will see: what is larger "
            f"than all that they show is cut off. Received: {found}."
        )
    return images


def number_of_telling(images: np.ndarray) -> int:
    """How many images there are that no other equals and that are not of one color.

    Example:
        >>> draws = np.random.default_rng(0)
        >>> three = draws.integers(0, 256, (3, 4, 4, 3))
        >>> black = np.zeros((5, 4, 4, 3), "int64")
        >>> number_of_telling(np.concatenate([three, three, black]))
        3

    """
    return len(
        {
            hashlib.sha256(image.tobytes()).digest()
            for image in images
            if (image != image[:1, :1]).any()
        }
    )
