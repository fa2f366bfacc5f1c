"""Builds a published variant: its sizes, its images and its weights."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

import keras

from keras_cait.layers.checks import check_positive
from keras_cait.models.arguments import TransformerOptions
from keras_cait.models.cait import CaiTOptions
from keras_cait.models.classes.names import class_names_from_metadata
from keras_cait.models.deit3 import DeiT3Options
from keras_cait.models.functional_model import default_name
from keras_cait.models.published.families import FAMILIES
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape, Tensor
from keras_cait.variants import Variant
from keras_cait.weights.load import check_source, load_tensors
from keras_cait.weights.metadata.source_metadata import (
    SourceMetadata,
    read_source_metadata,
)
from keras_cait.weights.normalization_warning import warn_about_normalization


@dataclass(frozen=True)
class BuilderArguments:
    """Arguments of every builder, of which `keras.applications` has the first seven.

    Attributes:
        include_top: Whether the model ends in the classifier.
        weights: "imagenet" for the published weights whose images are nearest in size,
            downloaded once; None for random weights; "hf://owner/repository"; or the
            path of a `.safetensors` or `.pth` file with timm's names, of a
            `.weights.h5` or of a `.keras` file.
        input_tensor: A Keras tensor to use as the input. Two models in one graph
            must be called, `model(tensor)`: their layers have the same names.
        input_shape: Height, width (pixels) and channels, as of
            `keras_cait.models.arguments.ModelArguments`; None for the shape of
            `input_tensor`, for the size of `preprocessing`, or else for the image size
            of the first published weights.
        pooling: As of `ModelArguments`.
        classes: Number of classes.
        classifier_activation: Activation of the output; None for logits.
        include_preprocessing: As of `ModelArguments`.
        preprocessing: As of `ModelArguments`, but None for the preprocessing in the
            `config.json` of a repository or in a file that `save_timm_weights` wrote,
            or else for the published one of this variant.
        class_names: As of `ModelArguments`, but None for the names that come with
            the weights if their head is loaded.
        drop_path_rate: Stochastic depth, in [0, 1); None for the published rate.
        name: Name of the model; None for the builder's in lower case, with a number
            if that name is taken.
    """

    include_top: bool = True
    weights: str | Path | None = "imagenet"
    input_tensor: Tensor | None = None
    input_shape: Shape | None = None
    pooling: str | None = None
    classes: int = 1000
    classifier_activation: str | None = "softmax"
    _: KW_ONLY
    include_preprocessing: bool = False
    preprocessing: Preprocessing | None = None
    class_names: Sequence[str] | None = None
    drop_path_rate: float | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class CaiTBuilderArguments(CaiTOptions, BuilderArguments): ...  # noqa: D101


@dataclass(frozen=True, kw_only=True)
class DeiTBuilderArguments(TransformerOptions, BuilderArguments): ...  # noqa: D101


@dataclass(frozen=True, kw_only=True)
class DeiT3BuilderArguments(DeiT3Options, BuilderArguments): ...  # noqa: D101


@dataclass(frozen=True)
class RegNetBuilderArguments(BuilderArguments): ...  # noqa: D101


BUILDER_ARGUMENTS: Mapping[str, type[BuilderArguments]] = {
    "cait": CaiTBuilderArguments,
    "deit": DeiTBuilderArguments,
    "deit3": DeiT3BuilderArguments,
    "regnet": RegNetBuilderArguments,
}
"""The arguments of the builders, by the family of their variants."""


def build_variant(variant: Variant, arguments: BuilderArguments) -> keras.Model:
    """Builds a published variant, with its weights."""
    weights = arguments.weights
    # Errors that would otherwise come only after a large model is built.
    if weights not in (None, "imagenet"):
        check_source(weights, others=', or "imagenet", or None for random weights')
    check_positive(classes=arguments.classes if arguments.include_top else 1)
    input_shape = _image_shape(variant, arguments)
    if weights == "imagenet":
        weights = f"hf://{variant.checkpoint_for(input_shape).hub_id}"
    metadata = SourceMetadata() if weights is None else read_source_metadata(weights)
    given = {**_without_none(variant, arguments, metadata), "input_shape": input_shape}
    model = FAMILIES[variant.family](**variant.sizes, **given)
    if weights is not None:
        load_tensors(model, weights, new_head=True)
        if arguments.preprocessing is None:
            warn_about_normalization(model, metadata, weights)
    return model


def _without_none(
    variant: Variant, arguments: BuilderArguments, metadata: SourceMetadata
) -> dict[str, Any]:
    """The arguments of the family's function, with those of the variant for None."""
    given = dict(vars(arguments))
    del given["weights"]
    if arguments.drop_path_rate is None:
        given["drop_path_rate"] = variant.drop_path_rate
    if arguments.preprocessing is None:
        given["preprocessing"] = metadata.preprocessing
        if metadata.preprocessing is None and len(variant.checkpoints) == 1:
            given["preprocessing"] = variant.checkpoints[0].preprocessing
    if arguments.class_names is None and arguments.include_top:
        given["class_names"] = class_names_from_metadata(metadata, arguments.classes)
    given["name"] = arguments.name or default_name(variant.name.lower())
    return given


def _image_shape(variant: Variant, arguments: BuilderArguments) -> Shape:
    tensor, preprocessing = arguments.input_tensor, arguments.preprocessing
    if arguments.input_shape is not None:
        return arguments.input_shape
    if tensor is not None and keras.backend.is_keras_tensor(tensor):
        return tuple(tensor.shape[1:])
    if preprocessing is not None and preprocessing.image_size is not None:
        return (*preprocessing.image_size, 3)
    return (variant.image_size, variant.image_size, 3)
