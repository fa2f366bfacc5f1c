"""Preprocessing of a model: from its layers, its name or its architecture.

A model stores its `Preprocessing` in the configuration of its first layer,
`ImagePreprocessing`, and its class names in that of its last, `Predictions`. So both
survive saving, loading, cloning and `keras.Model(model.input, ...)`.
"""

import keras

from keras_cait.models.published.registry import find_variant
from keras_cait.preprocessing import Preprocessing
from keras_cait.variants import VARIANTS
from keras_cait.weights.metadata.model_metadata import stored_preprocessing
from keras_cait.weights.tensors.variant_detection import variant_name
from keras_cait.weights.timm.names import timm_shapes


def preprocessing_for(model: keras.Model | str) -> Preprocessing:
    """Returns how images are prepared for a model.

    Args:
        model: A name, timm's ("cait_s24_384") or a builder's ("CaiT_S24"), for the
            preprocessing of its published weights; or a model of this package, for
            the preprocessing that it was built or saved with.

    Returns:
        A `Preprocessing`. For a model its `image_size` is that of the model.

    Raises:
        ValueError: If no model has this name, or the model is not of this package.

    Example:
        >>> preprocessing_for("deit_tiny_patch16_224").crop_pct
        0.9

    Reference:
        The configurations that timm publishes with the weights.

    """
    if isinstance(model, str):
        variant = find_variant(model)
        found = Preprocessing()
        if variant.checkpoints:
            found = variant.checkpoints[0].preprocessing
        return found.of_model((variant.image_size, variant.image_size, 3))
    found = stored_preprocessing(model) or _of_architecture(model)
    return found.of_model(model.input_shape[1:])


def preprocessing_or_default(model: keras.Model) -> Preprocessing:
    """As `preprocessing_for`; a model of another package gets the whole image."""
    try:
        return preprocessing_for(model)
    except ValueError:
        return Preprocessing().of_model(model.input_shape[1:])


def _of_architecture(model: keras.Model) -> Preprocessing:
    """The published preprocessing of a model that was saved without its own."""
    name = variant_name(timm_shapes(model))
    if name is None or not VARIANTS[name].checkpoints:
        return Preprocessing()
    return VARIANTS[name].checkpoint_for(model.input_shape[1:]).preprocessing
