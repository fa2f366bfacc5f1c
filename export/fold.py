"""Models made for inference: what training needs is folded into the weights."""

import keras
from keras_cait.export.full_precision import in_float32


def fold(model: keras.Model) -> keras.Model:
    """The same model for inference alone, in float32."""
    return in_float32(model)
