"""Photographs in memory, as arrays and as files."""

import functools
import io

import numpy as np
from PIL import ExifTags, Image
from sklearn.datasets import load_sample_image


@functools.cache
def photograph(height: int = 375, width: int = 500, name: str = "china.jpg"):
    """`(height, width, 3)` uint8, of many colors and fine detail."""
    image = Image.fromarray(load_sample_image(name))
    pixels = np.array(image.resize((width, height), Image.Resampling.BICUBIC))
    pixels.flags.writeable = False
    return pixels


def encoded(image: np.ndarray | Image.Image, kind: str = "JPEG", **options) -> bytes:
    """The bytes of a file of it."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int) -> bytes:
    """Metadata as a camera writes them, for the option `exif` of `encoded`."""
    metadata = Image.Exif()
    metadata[ExifTags.Base.Make] = "a camera"
    metadata[ExifTags.Base.Orientation] = orientation
    return metadata.tobytes()


def opened(file: bytes, mode: str = "RGB") -> np.ndarray:
    """Pixels of a file, read by PIL."""
    return np.array(Image.open(io.BytesIO(file)).convert(mode))
