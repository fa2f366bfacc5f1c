"""The published variants as functions, with the signature of keras.applications."""

from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from typing import Any, Protocol

import keras

from keras_cait.layers.checks import check_positive
from keras_cait.models.argument_checks import default_name, refuse_unknown
from keras_cait.models.classes.names import stated_class_names
from keras_cait.models.published.families import FAMILIES
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape, Tensor
from keras_cait.variants import VARIANTS, Checkpoint, Variant
from keras_cait.weights.load import check_source, load_tensors
from keras_cait.weights.metadata.source_metadata import (
    SourceMetadata,
    read_source_metadata,
)
from keras_cait.weights.normalization_warning import warn_about_normalization


class Builder(Protocol):
    """The signature that every variant's builder has."""

    __name__: str

    def __call__(
        self,
        include_top: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Tensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
        *,
        include_preprocessing: bool = False,
        preprocessing: Preprocessing | None = None,
        class_names: Sequence[str] | None = None,
        drop_path_rate: float | None = None,
        name: str | None = None,
        **options: Any,
    ) -> keras.Model: ...


def _builder(name: str) -> Builder:
    variant = VARIANTS[name]
    family = FAMILIES[variant.family]

    def build(
        include_top: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Tensor | None = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
        *,
        include_preprocessing: bool = False,
        preprocessing: Preprocessing | None = None,
        class_names: Sequence[str] | None = None,
        drop_path_rate: float | None = None,
        name: str | None = None,
        **options: Any,
    ) -> keras.Model:
        # `create_model`'s, for a name that means one of several published files.
        checkpoint: Checkpoint | None = options.pop("_checkpoint", None)
        arguments = [*signature(family).parameters, "weights"]
        refuse_unknown(options, arguments, variant.name)
        _check_early(weights, classes if include_top else 1)
        if input_shape is None:
            size = (checkpoint or variant).image_size
            input_shape = _shape(input_tensor, preprocessing, size)
        if drop_path_rate is None:
            drop_path_rate = variant.drop_path_rate
        if weights == "imagenet":
            published = checkpoint or variant.checkpoint_for(input_shape)
            weights = f"hf://{published.hub_id}"
        said = SourceMetadata() if weights is None else read_source_metadata(weights)
        known = checkpoint.preprocessing if checkpoint else None
        if class_names is None and include_top:
            class_names = stated_class_names(said, classes)
        model = family(
            **_sizes(variant, options),
            input_shape=input_shape,
            drop_path_rate=drop_path_rate,
            include_top=include_top,
            include_preprocessing=include_preprocessing,
            preprocessing=preprocessing or said.preprocessing or known,
            input_tensor=input_tensor,
            pooling=pooling,
            classes=classes,
            class_names=class_names,
            classifier_activation=classifier_activation,
            name=name or default_name(variant.name.lower()),
            **options,
        )
        if weights is not None:
            load_tensors(model, weights, new_head=True)
            if preprocessing is None:
                warn_about_normalization(model, said, weights)
        return model

    return _documented(build, variant)


def _check_early(weights: str | Path | None, classes: int) -> None:
    """Refuses what would be refused only after a large model is built."""
    if weights not in (None, "imagenet"):
        check_source(weights, others=', or "imagenet", or None for random weights')
    check_positive(classes=classes)


def _shape(
    input_tensor: Tensor | None, preprocessing: Preprocessing | None, size: int
) -> Shape:
    """The shape of the images, where none is given."""
    if input_tensor is not None and keras.backend.is_keras_tensor(input_tensor):
        return tuple(input_tensor.shape[1:])
    if preprocessing is not None and preprocessing.image_size is not None:
        return (*preprocessing.image_size, 3)
    return (size, size, 3)


def _sizes(variant: Variant, options: dict[str, Any]) -> dict[str, Any]:
    """What makes the variant, which `options` must leave alone."""
    taken = sorted(options.keys() & variant.sizes.keys())
    if taken:
        raise TypeError(
            f"{variant.name} sets {', '.join(variant.sizes)}. "
            f"Received: {', '.join(taken)}. "
            f"For another size call keras_cait.{FAMILIES[variant.family].__name__}."
        )
    return variant.sizes


def _documented(build: Any, variant: Variant) -> Builder:
    build.__name__ = build.__qualname__ = variant.name
    hub_ids = " or ".join(
        row.hub_id
        for row in variant.checkpoints
        if row is variant.checkpoint_for((row.image_size, row.image_size, 3))
    )
    texts = _TEXTS[variant.family]
    build.__doc__ = _DOCSTRING.format(
        name=variant.name,
        kind=" with a distillation token" if variant.sizes.get("distilled") else "",
        published=hub_ids or "published weights, of which this variant has none",
        variant=variant,
        **{key: text.format(variant=variant) for key, text in texts.items()},
    )
    return build


_TRANSFORMER = {
    "size": "{variant.embed_dim} wide, {variant.depth} blocks, "
    "{variant.num_heads} heads",
    "sides": ", multiples of {variant.patch_size}",
    "pooling": 'None, the tokens; "token", the class\n'
    '            token; "avg", the mean patch token',
    "published_rate": "the published {variant.drop_path_rate}",
}
_TEXTS = {
    "deit": {
        **_TRANSFORMER,
        "schedule": "a linear ramp from 0 to\n            this in the last block",
        "options": "Other arguments of `keras_cait.DeiT`, such as dropout_rate",
        "paper": "https://arxiv.org/abs/2012.12877",
    },
    "deit3": {
        **_TRANSFORMER,
        "schedule": "the same in every\n            block",
        "options": "Other arguments of `keras_cait.DeiT3`, such as dropout_rate",
        "paper": "https://arxiv.org/abs/2204.07118",
    },
    "cait": {
        **_TRANSFORMER,
        "schedule": "the same in every\n            self-attention block",
        "options": "Other arguments of `keras_cait.CaiT`, such as distilled=True,\n"
        "            which adds a distillation token",
        "paper": "https://arxiv.org/abs/2103.17239",
    },
    "regnet": {
        "size": "the convnet teacher, {variant.depth} blocks in groups of "
        "{variant.group_size} channels",
        "sides": "",
        "pooling": 'None, the feature map; "avg" or\n'
        '            "max", its mean or maximum over the image',
        "published_rate": "0",
        "schedule": "a linear ramp from 0 to\n            this in the last block",
        "options": "Nothing: `keras_cait.RegNetY` has no other arguments",
        "paper": "https://arxiv.org/abs/2003.13678",
    },
}

_DOCSTRING = """{name}{kind}: {size}.

    Args:
        include_top: Whether to end in the classifier.
        weights: "imagenet" for {published},
            downloaded once; None for random weights; or the path of a
            `.safetensors` file with timm's names, a `.weights.h5` or a `.keras`
            file.
        input_tensor: A Keras tensor to use as the input. Two models in one graph
            must be called, `model(tensor)`: their layers have the same names.
        input_shape: Height, width (in pixels{sides}) and channels;
            ({variant.image_size}, {variant.image_size}, 3) by default.
        pooling: With `include_top=False`: {pooling}.
        classes: Number of classes.
        classifier_activation: Activation of the output; None for logits.
        include_preprocessing: Whether images come in [0, 255] and are normalized
            in the model. Otherwise they come normalized.
        preprocessing: A `keras_cait.Preprocessing`: the mean and standard deviation
            that images are normalized with, and how they are cropped and resized.
            None for what the weights say, in the `config.json` of a repository or
            in a file that `save_timm_weights` wrote; or else what is published for
            this variant. The model keeps it.
        class_names: Name of each class, in order, which the model keeps. None for
            those of the weights whose head is loaded, if they have any.
        drop_path_rate: Stochastic depth, in [0, 1): {schedule}.
            None for {published_rate}.
        name: Name of the model; None for the builder's in lower case, with a number
            where that is taken.
        **options: {options}.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: If an argument is out of range or does not fit another, or
            the weights do not fit the model.
        TypeError: If `options` holds a size that makes the variant, or an argument
            that there is not.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.{name}(weights=None, classes=10)
        >>> model.output_shape
        (None, 10)

    Reference:
        {variant.source}, {paper}

    """

DeiT_Ti = _builder("DeiT_Ti")
DeiT_S = _builder("DeiT_S")
DeiT_B = _builder("DeiT_B")
DeiT_Ti_Distilled = _builder("DeiT_Ti_Distilled")
DeiT_S_Distilled = _builder("DeiT_S_Distilled")
DeiT_B_Distilled = _builder("DeiT_B_Distilled")

DeiT3_S = _builder("DeiT3_S")
DeiT3_M = _builder("DeiT3_M")
DeiT3_B = _builder("DeiT3_B")
DeiT3_L = _builder("DeiT3_L")
DeiT3_H = _builder("DeiT3_H")

CaiT_XXS24 = _builder("CaiT_XXS24")
CaiT_XXS36 = _builder("CaiT_XXS36")
CaiT_XS24 = _builder("CaiT_XS24")
CaiT_XS36 = _builder("CaiT_XS36")
CaiT_S24 = _builder("CaiT_S24")
CaiT_S36 = _builder("CaiT_S36")
CaiT_S48 = _builder("CaiT_S48")
CaiT_M24 = _builder("CaiT_M24")
CaiT_M36 = _builder("CaiT_M36")
CaiT_M48 = _builder("CaiT_M48")

RegNetY_16GF = _builder("RegNetY_16GF")
