"""The published variants as functions, with the signature of keras.applications."""

from pathlib import Path
from typing import Any, Protocol

import keras

from keras_cait.models.cait import CaiT
from keras_cait.models.deit import DeiT
from keras_cait.models.variants import CAIT_VARIANTS, DEIT_VARIANTS, Variant
from keras_cait.typing import Shape, Tensor
from keras_cait.weights import load_weights
from keras_cait.weights.hub import download_checkpoint


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
        drop_path_rate: float | None = None,
        name: str | None = None,
        **options: Any,
    ) -> keras.Model: ...


def _deit(name: str) -> Builder:
    variant = DEIT_VARIANTS[name]

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
        drop_path_rate: float | None = None,
        name: str | None = None,
    ) -> keras.Model:
        return _finish(
            variant,
            DeiT(
                **_arguments(variant, input_tensor, input_shape, drop_path_rate),
                distilled=variant.distilled,
                include_top=include_top,
                include_preprocessing=include_preprocessing,
                input_tensor=input_tensor,
                pooling=pooling,
                classes=classes,
                classifier_activation=classifier_activation,
                name=name or variant.name.lower(),
            ),
            weights,
        )

    return _documented(build, variant, _DEIT_TEXTS)


def _cait(name: str) -> Builder:
    variant = CAIT_VARIANTS[name]

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
        drop_path_rate: float | None = None,
        distilled: bool = False,
        name: str | None = None,
    ) -> keras.Model:
        return _finish(
            variant,
            CaiT(
                **_arguments(variant, input_tensor, input_shape, drop_path_rate),
                distilled=distilled,
                include_top=include_top,
                include_preprocessing=include_preprocessing,
                input_tensor=input_tensor,
                pooling=pooling,
                classes=classes,
                classifier_activation=classifier_activation,
                name=name or variant.name.lower(),
            ),
            weights,
        )

    return _documented(build, variant, _CAIT_TEXTS)


def _arguments(
    variant: Variant,
    input_tensor: Tensor | None,
    input_shape: Shape | None,
    drop_path_rate: float | None,
) -> dict[str, Any]:
    """What the table says of a variant, and what follows from the call."""
    if input_shape is None:
        input_shape = (variant.image_size, variant.image_size, 3)
        if input_tensor is not None:
            input_shape = tuple(input_tensor.shape[1:])
    if drop_path_rate is None:
        drop_path_rate = variant.drop_path_rate
    return {
        "input_shape": input_shape,
        "patch_size": variant.patch_size,
        "embed_dim": variant.embed_dim,
        "depth": variant.depth,
        "num_heads": variant.num_heads,
        "drop_path_rate": drop_path_rate,
    }


def _finish(
    variant: Variant, model: keras.Model, weights: str | Path | None
) -> keras.Model:
    """The model with its weights."""
    if weights == "imagenet":
        if variant.hub_id is None:
            released = [v.name for v in CAIT_VARIANTS.values() if v.hub_id]
            raise ValueError(
                f"No weights were published for {variant.name}; they were for "
                f"{', '.join(released)}. Received: weights='imagenet'. Pass "
                "weights=None, or the path of a file."
            )
        weights = download_checkpoint(variant.hub_id)
    return model if weights is None else load_weights(model, weights)


def _documented(build: Any, variant: Variant, texts: dict[str, str]) -> Builder:
    build.__name__ = build.__qualname__ = variant.name
    build.__doc__ = _DOCSTRING.format(
        name=variant.name,
        kind=" with a distillation token" if variant.distilled else "",
        published=f"the published weights of {variant.hub_id}"
        if variant.hub_id
        else "published weights, of which this variant has none",
        variant=variant,
        **texts,
    )
    return build


_DEIT_TEXTS = {
    "schedule": "a linear ramp from 0 to\n            this in the last block",
    "distilled": "",
    "paper": "https://arxiv.org/abs/2012.12877",
}
_CAIT_TEXTS = {
    "schedule": "the same in every\n            self-attention block",
    "distilled": "\n        distilled: Adds a distillation token and its head, which "
    "no published\n            weights have.",
    "paper": "https://arxiv.org/abs/2103.17239",
}

_DOCSTRING = """{name}{kind}: {variant.embed_dim} wide, {variant.depth} blocks, \
{variant.num_heads} heads.

    Args:
        include_top: Whether to end in the classifier.
        weights: "imagenet" for {published},
            downloaded once; None for random weights; or the path of a
            `.safetensors` file with timm's names, a `.weights.h5` or a `.keras`
            file.
        input_tensor: A Keras tensor to use as the input.
        input_shape: Height, width (in pixels, multiples of
            {variant.patch_size}) and channels; ({variant.image_size},
            {variant.image_size}, 3) by default.
        pooling: With `include_top=False`: None, the tokens; "token", the class
            token; "avg", the mean patch token.
        classes: Number of classes.
        classifier_activation: Activation of the output; None for logits.
        include_preprocessing: Whether images come in [0, 255] and are normalised
            in the model. Otherwise they come normalised.
        drop_path_rate: Stochastic depth, in [0, 1): {schedule}.
            None for the published {variant.drop_path_rate}.{distilled}
        name: Name of the model.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: If an argument is out of range or does not fit another, or
            the weights do not fit the model.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.{name}(weights=None, classes=10)
        >>> model.output_shape
        (None, 10)

    Reference:
        {variant.source}, {paper}

    """

DeiT_Ti = _deit("DeiT_Ti")
DeiT_S = _deit("DeiT_S")
DeiT_B = _deit("DeiT_B")
DeiT_Ti_Distilled = _deit("DeiT_Ti_Distilled")
DeiT_S_Distilled = _deit("DeiT_S_Distilled")
DeiT_B_Distilled = _deit("DeiT_B_Distilled")

CaiT_XXS24 = _cait("CaiT_XXS24")
CaiT_XXS36 = _cait("CaiT_XXS36")
CaiT_XS24 = _cait("CaiT_XS24")
CaiT_XS36 = _cait("CaiT_XS36")
CaiT_S24 = _cait("CaiT_S24")
CaiT_S36 = _cait("CaiT_S36")
CaiT_S48 = _cait("CaiT_S48")
CaiT_M24 = _cait("CaiT_M24")
CaiT_M36 = _cait("CaiT_M36")
CaiT_M48 = _cait("CaiT_M48")
