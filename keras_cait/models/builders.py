"""The published variants as functions, with the signature of keras.applications."""

from pathlib import Path
from typing import Protocol

import keras

from keras_cait.models.deit import DeiT
from keras_cait.models.variants import DEIT_VARIANTS, Variant
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
    ) -> keras.Model: ...


def _builder(variant: Variant) -> Builder:
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
        if input_shape is None:
            input_shape = (variant.image_size, variant.image_size, 3)
            if input_tensor is not None:
                input_shape = tuple(input_tensor.shape[1:])
        if drop_path_rate is None:
            drop_path_rate = variant.drop_path_rate
        model = DeiT(
            input_shape=input_shape,
            patch_size=variant.patch_size,
            embed_dim=variant.embed_dim,
            depth=variant.depth,
            num_heads=variant.num_heads,
            distilled=variant.distilled,
            drop_path_rate=drop_path_rate,
            include_top=include_top,
            include_preprocessing=include_preprocessing,
            input_tensor=input_tensor,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            name=name or variant.name.lower(),
        )
        if weights == "imagenet":
            weights = download_checkpoint(variant.hub_id)
        if weights is not None:
            load_weights(model, weights)
        return model

    build.__name__ = build.__qualname__ = variant.name
    build.__doc__ = _DOCSTRING.format(
        name=variant.name,
        kind=" with a distillation token" if variant.distilled else "",
        variant=variant,
    )
    return build


_DOCSTRING = """{name}{kind}: {variant.embed_dim} wide, {variant.depth} blocks, \
{variant.num_heads} heads.

    Args:
        include_top: Whether to end in the classifier.
        weights: "imagenet" for the published weights of {variant.hub_id},
            which are downloaded once; None for random weights; or the path of a
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
        drop_path_rate: Stochastic depth of the last block, in [0, 1); a linear
            ramp from 0. None for the published {variant.drop_path_rate}.
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
        {variant.source}: Touvron et al., Training data-efficient image
        transformers & distillation through attention,
        https://arxiv.org/abs/2012.12877

    """

DeiT_Ti = _builder(DEIT_VARIANTS["DeiT_Ti"])
DeiT_S = _builder(DEIT_VARIANTS["DeiT_S"])
DeiT_B = _builder(DEIT_VARIANTS["DeiT_B"])
DeiT_Ti_Distilled = _builder(DEIT_VARIANTS["DeiT_Ti_Distilled"])
DeiT_S_Distilled = _builder(DEIT_VARIANTS["DeiT_S_Distilled"])
DeiT_B_Distilled = _builder(DEIT_VARIANTS["DeiT_B_Distilled"])
