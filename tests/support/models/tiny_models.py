"""Models for tests: small ones with values, published ones with shapes alone."""

import contextlib

import keras
import numpy as np

import keras_cait
from keras_cait.variants import VARIANTS
from tests.support.reference import manifest


def tiny_deit(**overrides):
    """A DeiT of the size of the small reference models, unless told otherwise."""
    return _tiny(keras_cait.DeiT, overrides)


def tiny_cait(**overrides):
    """A CaiT of the size of the first small reference model, likewise."""
    return _tiny(keras_cait.CaiT, overrides)


def tiny_deit3(**overrides):
    """A DeiT-III of that size."""
    return _tiny(keras_cait.DeiT3, overrides)


def tiny_regnety(**overrides):
    """A RegNetY of the size of the small reference model, unless told otherwise."""
    sizes = {"depth": 7, "w0": 8, "wa": 8.0, "wm": 1.8, "group_size": 8}
    settings = {"input_shape": (64, 64, 3), "classes": 10, **sizes}
    return keras_cait.RegNetY(**{**settings, **overrides})


def _tiny(family, overrides):
    sizes = {"patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 4}
    settings = {"input_shape": (32, 32, 3), "classes": 10, **sizes}
    return family(**{**settings, **overrides})


def randomize(model):
    """Gives every weight a value that matters, so that nothing is by chance 0 or 1."""
    generator = np.random.default_rng(0)
    for weight in model.weights:
        value = 0.2 * generator.standard_normal(weight.shape)
        weight.assign(abs(value) + 0.5 if weight.name == "moving_variance" else value)
    return model


def released(timm_name):
    """The builder of a released model and the input shape it was released for."""
    (builder,) = (
        getattr(keras_cait, variant.name)
        for variant in VARIANTS.values()
        if timm_name in (row.timm_name for row in variant.checkpoints)
    )
    channels, height, width = manifest(timm_name)["input_size"]
    return builder, (height, width, channels)


def loaded_anew(make, path):
    """A model from a file, as in a new process, where Keras has named nothing yet."""
    keras.backend.clear_session(free_memory=False)
    make().save(path)
    keras.backend.clear_session(free_memory=False)
    return keras.saving.load_model(path)


@contextlib.contextmanager
def without_values():
    """Models made inside have shapes but no values, which takes no time."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        # Forgets the variables that wait for values.
        keras.backend.clear_session(free_memory=False)


def images(*shape, seed=0):
    """Random images, `(batch, height, width, channels)`, as if normalized."""
    return np.random.default_rng(seed).standard_normal(shape, dtype="float32")


def changed_patches(model):
    """Images of one color with another patch, and the row and column of that patch.

    The position embeddings of the model become 0, so that all other patches are equal.
    """
    positions = model.get_layer("position_embedding")
    weight = positions.position_embedding
    weight.assign(np.zeros(weight.shape))
    height, width = model.input_shape[1:3]
    size = height // positions.grid_size[0]
    for row, column in np.ndindex(*positions.grid_size):
        image = np.zeros((1, height, width, 3), "float32")
        image[:, size * row :, size * column :][:, :size, :size] = 1
        yield image, (row, column)


def to_numpy(tensor):
    """A tensor or variable as an array."""
    return np.array(keras.ops.convert_to_numpy(tensor))
