"""Representative images: sample inputs from which int8 ranges are measured."""

import hashlib
from pathlib import Path

import numpy as np

from keras_cait.export.pipeline.comparison_images import given_images
from keras_cait.export.pipeline.preparation import PreparedModel

FEWEST = 16
"""A tensor's range covers its values over all images, and grows slowly after the first
dozen. With fewer images it clips values of others, and predictions are silently
wrong."""
MOST_REPRESENTATIVE = 200  # images read from a folder


def check_representative(
    representative: np.ndarray | Path | str | None, precision: str
) -> None:
    """Raises `ValueError` unless images are given exactly for "int8"."""
    if precision == "int8" and representative is None:
        raise ValueError(
            '`precision="int8"` needs `representative`: at least '
            f"{FEWEST} images such as the model will see, an array of pixels in "
            "[0, 255] or a folder. Received: representative=None. Without images, "
            '`precision="dynamic"` gives weights of the same size.'
        )
    if precision != "int8" and representative is not None:
        raise ValueError(
            '`representative` is for `precision="int8"`. Received: '
            f"precision={precision!r}, which needs none."
        )


def representative_images(
    representative: np.ndarray | Path | str, prepared: PreparedModel
) -> np.ndarray:
    """Representative images as float32 pixels in [0, 255] of the model's shape.

    From a folder with more than 200 images, a random sample of 200. Raises `ValueError`
    for another shape, values outside [0, 255], or fewer than 16 informative images.
    """
    images = given_images(
        "representative", representative, prepared, most=MOST_REPRESENTATIVE
    )
    informative = _count_informative(images)
    if informative < FEWEST:
        found = f"{len(images)} images"
        if informative < len(images):
            found += f", of which {informative} differ and are not of one color"
        raise ValueError(
            f"`representative` must hold {FEWEST} images or more, better 100, that "
            "differ from one another and resemble the model's inputs: activations "
            f"outside their ranges are clipped. Received: {found}."
        )
    return images


def _count_informative(images: np.ndarray) -> int:
    """Number of distinct images with more than one color."""
    return len(
        {
            hashlib.sha256(image.tobytes()).digest()
            for image in images
            if (image != image[:1, :1]).any()
        }
    )
