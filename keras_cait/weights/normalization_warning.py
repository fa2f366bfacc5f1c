"""Warning about weights that expect another mean and std of images than a model."""

import warnings
from pathlib import Path

import keras
import numpy as np

from keras_cait.preprocessing import imagenet_statistics
from keras_cait.weights.metadata.model_metadata import stored_preprocessing
from keras_cait.weights.metadata.source_metadata import SourceMetadata
from keras_cait.weights.tensors.variant_detection import traits
from keras_cait.weights.timm.names import timm_shapes

_ADVICE = (
    "build the model with `preprocessing=keras_cait.Preprocessing(mean=..., std=...)`; "
    "recipes/evaluate.py, recipes/finetune.py and exports take --mean and --std"
)


def warn_about_normalization(
    model: keras.Model, metadata: SourceMetadata, source: str | Path
) -> None:
    """Warns if weights expect another mean and std than the model has, or may do so.

    There is no warning for Keras's own files, whose models hold theirs; for a model
    built with other statistics than ImageNet's; and for layouts that were never
    published with others.
    """
    own = stored_preprocessing(model)
    if own is None:
        return
    stated = metadata.preprocessing
    if stated is not None:
        pairs = ((own.mean, stated.mean), (own.std, stated.std))
        if not all(_are_close(*pair) for pair in pairs):
            warnings.warn(
                f"{source} is for images normalized with mean={stated.mean} and "
                f"std={stated.std}, and the model {model.name!r} has mean={own.mean} "
                f"and std={own.std}: its predictions would be wrong. Take those of "
                f"the weights: {_ADVICE}.",
                stacklevel=3,
            )
        return
    is_keras = str(source).endswith((".keras", ".weights.h5"))
    is_default = (own.mean, own.std) == imagenet_statistics(len(own.mean))
    if is_keras or not is_default or _has_one_published_normalization(model):
        return
    warnings.warn(
        f"{source} does not state the mean and std of its images. The "
        f"model {model.name!r} has ImageNet's, mean={own.mean} and std={own.std}; "
        "weights of the same layout were published with 0.5 and 0.5 too. If these are "
        f"not right, {_ADVICE}.",
        stacklevel=3,
    )


def _are_close(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return len(one) == len(other) and np.allclose(one, other, rtol=0, atol=1e-4)


def _has_one_published_normalization(model: keras.Model) -> bool:
    """Whether only ImageNet's statistics were published for the layout.

    The layout of plain DeiT is that of all vision transformers, many of which have
    others.
    """
    found = traits(timm_shapes(model))
    return found["family"] != "deit" or found["distilled"]
