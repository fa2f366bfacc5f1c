"""Images that show which values a model computes with."""

from pathlib import Path

import numpy as np
from keras_cait.export.image_folder import images_of
from keras_cait.export.preparation import Prepared

FEWEST = 16
"""The range of each tensor is that of all values seen. The largest of them grow with
the images, slowly after the first dozen; one image alone, or a few, cut off what
others need, and the model answers wrongly without any sign of it."""
MOST = 200  # images that are read of a folder


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
    representative: np.ndarray | Path | str, prepared: Prepared
) -> np.ndarray:
    """Pixels in [0, 255] of the model's shape, float32.

    Args:
        representative: An array of them, or a folder of images, of which 200 are
            drawn if there are more.
        prepared: The model.

    Raises:
        ValueError: If they are fewer than 16, of another shape, or no pixels.

    """
    shape = tuple(prepared.model.input_shape[1:])
    if isinstance(representative, str | Path):
        images = images_of(
            Path(representative), prepared.preprocessing, channels=shape[2], most=MOST
        )
    else:
        images = np.asarray(representative)
        if images.ndim != 4 or images.shape[1:] != shape:
            raise ValueError(
                "`representative` must be of shape (images, "
                f"{', '.join(map(str, shape))}), pixels in [0, 255], or a folder of "
                f"images. Received: shape={images.shape}"
            )
    if len(images) < FEWEST:
        raise ValueError(
            f"`representative` must hold {FEWEST} images or more, better 100: what is "
            "larger than all that they show is cut off. Received: "
            f"{len(images)} images"
        )
    images = images.astype("float32")
    if not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 255):
        raise ValueError(
            "`representative` must hold pixels in [0, 255]. Received: values in "
            f"[{images.min():g}, {images.max():g}]. Do not normalise them."
        )
    return images
