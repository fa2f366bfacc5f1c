"""A word where the mean and std of images may not be those of the weights."""

import warnings
from pathlib import Path

import keras
import numpy as np

from keras_cait.preprocessing import Preprocessing, imagenet_statistics
from keras_cait.weights.metadata.model_metadata import stored_preprocessing
from keras_cait.weights.metadata.source_metadata import SourceMetadata
from keras_cait.weights.tensors.variant_detection import traits
from keras_cait.weights.timm.names import timm_parameters

_TO_SAY_IT = (
    "build the model with `preprocessing=keras_cait.Preprocessing(mean=..., std=...)`; "
    "recipes/evaluate.py, recipes/finetune.py and exports take --mean and --std"
)


def warn_about_normalization(
    model: keras.Model, said: SourceMetadata, source: str | Path
) -> None:
    """Warns if weights want another mean and std than the model keeps, or may do so.

    Nothing is said of Keras's own files, whose models keep theirs; of a model that was
    told other statistics than ImageNet's; and of layouts that were never published
    with others.

    Args:
        model: The model, which has the weights.
        said: What the source says.
        source: Where they come from.

    """
    kept = stored_preprocessing(model)
    if kept is None:
        return
    stated = said.preprocessing
    if stated is not None:
        if not _same(kept, stated):
            warnings.warn(
                f"{source} is for images normalized with mean={stated.mean} and "
                f"std={stated.std}, and the model {model.name!r} has mean={kept.mean} "
                f"and std={kept.std}: its predictions would be wrong. Take those of "
                f"the weights: {_TO_SAY_IT}.",
                stacklevel=3,
            )
        return
    is_keras_s = str(source).endswith((".keras", ".weights.h5"))
    default = (kept.mean, kept.std) == imagenet_statistics(len(kept.mean))
    if is_keras_s or not default or _was_published_with_these_alone(model):
        return
    warnings.warn(
        f"{source} does not say which mean and std its images are normalized with. The "
        f"model {model.name!r} has ImageNet's, mean={kept.mean} and std={kept.std}; "
        "weights of the same layout were published with 0.5 and 0.5 too. If these are "
        f"not right, {_TO_SAY_IT}.",
        stacklevel=3,
    )


def _same(one: Preprocessing, other: Preprocessing) -> bool:
    pairs = ((one.mean, other.mean), (one.std, other.std))
    return all(
        len(a) == len(b) and np.allclose(a, b, rtol=0, atol=1e-4) for a, b in pairs
    )


def _was_published_with_these_alone(model: keras.Model) -> bool:
    """Whether no other statistics than ImageNet's were published for the layout.

    That of plain DeiT is that of all vision transformers, many of which have others.
    """
    parameters = timm_parameters(model)
    found = traits({key: row.timm_shape for key, row in parameters.items()})
    return found["family"] != "deit" or found["distilled"]
