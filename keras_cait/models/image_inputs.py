"""Images as the input of a model: normalization and patches."""

import keras

from keras_cait.layers import ImagePreprocessing, PatchEmbedding
from keras_cait.layers.precision import full_precision
from keras_cait.models.arguments import ModelArguments, TransformerArguments
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape, Tensor
from keras_cait.variants import VARIANTS


def image_input(input_tensor: Tensor | None, input_shape: Shape) -> Tensor:
    """The model's symbolic input: the caller's tensor, or a new one."""
    if input_tensor is None:
        return keras.Input(shape=input_shape, name="images")
    if not keras.backend.is_keras_tensor(input_tensor):
        raise ValueError(
            "`input_tensor` must be a symbolic Keras tensor, such as keras.Input() "
            f"returns. Received: {type(input_tensor).__name__}"
        )
    if tuple(input_tensor.shape[1:]) != tuple(input_shape):
        raise ValueError(
            "`input_tensor` must have the shape of `input_shape` behind the batch. "
            f"Received: shape={tuple(input_tensor.shape)}, input_shape={input_shape}"
        )
    return input_tensor


def prepared_input(arguments: ModelArguments, family: str) -> tuple[Tensor, Tensor]:
    """The model's symbolic input, and its images as the first layer takes them."""
    inputs = image_input(arguments.input_tensor, arguments.input_shape)
    preprocessing = arguments.preprocessing or published_preprocessing(
        family, arguments
    )
    normalize = arguments.include_preprocessing
    return inputs, prepared_images(inputs, preprocessing, normalize=normalize)


def image_patches(
    arguments: TransformerArguments, family: str
) -> tuple[Tensor, Tensor]:
    """The model's symbolic input, and its patches `(batch, patches, embed_dim)`."""
    inputs, images = prepared_input(arguments, family)
    embedding = PatchEmbedding(
        patch_size=arguments.patch_size,
        embed_dim=arguments.embed_dim,
        name="patch_embedding",
    )
    return inputs, embedding(images)


def prepared_images(
    images: Tensor, preprocessing: Preprocessing, *, normalize: bool
) -> Tensor:
    """The outputs of a layer that stores `preprocessing`, and normalizes on demand."""
    fitting = preprocessing.of_model(tuple(images.shape[1:]))
    return ImagePreprocessing(
        mean=fitting.mean,
        std=fitting.std,
        crop_pct=fitting.crop_pct,
        interpolation=fitting.interpolation,
        normalize=normalize,
        # Half precision would lose the last bits of a pixel.
        dtype=full_precision(),
        name="preprocessing",
    )(images)


def published_preprocessing(family: str, arguments: ModelArguments) -> Preprocessing:
    """The preprocessing of the published model of these sizes.

    A model of other sizes gets the whole image, with ImageNet's mean and std.

    Example:
        >>> sizes = {"patch_size": 16, "embed_dim": 384, "depth": 12, "num_heads": 6}
        >>> published_preprocessing("deit3", TransformerArguments(**sizes)).crop_pct
        0.9

    """
    for variant in VARIANTS.values():
        if variant.family == family and variant.checkpoints:
            sizes = {name: getattr(arguments, name) for name in variant.sizes}
            if sizes == variant.sizes:
                return variant.checkpoint_for(arguments.input_shape).preprocessing
    return Preprocessing()
