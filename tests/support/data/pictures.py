"""Small pictures, a tiny model and eager training for tests of recipes."""

import contextlib
import json
import warnings

import numpy as np
import tensorflow as tf
from PIL import Image

TINY_MODEL = "embed_dim=8,depth=1,num_heads=2,patch_size=4"


def write_pictures(folder, classes=("day", "night"), size=(16, 16), number=8):
    """A folder a class of pictures, each class of its own brightness."""
    generator = np.random.default_rng(0)
    for index, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for picture in range(number):
            pixels = generator.normal(200 - 60 * index, 20, (*size, 3)).clip(0, 255)
            path = folder / name / f"{picture}.png"
            Image.fromarray(pixels.astype("uint8")).save(path)
    return folder


@contextlib.contextmanager
def without_compiling():
    """Two steps do not repay what compiling them takes."""
    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # tf.data compiles all the same, as it should.
            warnings.filterwarnings("ignore", "Even though the `tf.config")
            yield
    finally:
        tf.config.run_functions_eagerly(False)


def results_of(text):
    """The JSON object that a recipe's output ends in."""
    return json.loads(text.strip().splitlines()[-1])
