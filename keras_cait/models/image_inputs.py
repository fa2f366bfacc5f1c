"""What every model does first: check its sizes and take the images in."""

from typing import Any

import keras

from keras_cait.layers import ImagePreprocessing, PatchEmbedding
from keras_cait.layers.checks import check_positive, is_integer
from keras_cait.layers.precision import full_precision
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape, Tensor
from keras_cait.variants import VARIANTS


def check_image_shape(input_shape: Shape, patch_size: int | None = None) -> None:
    """Raises `ValueError` unless the shape is one the model can be built for.

    A convnet, which has no patches, takes sides of any length.
    """
    if not _is_shape(input_shape):
        raise ValueError(
            "`input_shape` must be (height, width, channels), three whole numbers of "
            f"1 or more. Received: input_shape={input_shape!r}"
        )
    if patch_size is not None:
        check_positive(patch_size=patch_size)
    if _is_channels_first(input_shape, patch_size):
        channels, height, width = input_shape
        raise ValueError(
            "`input_shape` must be (height, width, channels), with the channels last: "
            f"({height}, {width}, {channels}). Received: input_shape={input_shape!r}"
        )
    if patch_size and (input_shape[0] % patch_size or input_shape[1] % patch_size):
        raise ValueError(
            "`patch_size` must divide `input_shape`. Received: "
            f"input_shape={tuple(input_shape)}, patch_size={patch_size}"
        )


def _is_shape(value: Any) -> bool:
    """Tells three positive integers from everything else."""
    is_sequence = isinstance(value, (tuple, list)) and len(value) == 3
    return is_sequence and all(is_integer(side) and side > 0 for side in value)


def _is_channels_first(input_shape: Shape, patch_size: int | None) -> bool:
    """Whether it is the shape of a gray or color image with the channels first.

    A height of 1 or 3 that the patches divide may be meant.
    """
    height, width, channels = (int(side or 0) for side in input_shape)
    fits = patch_size is not None and height % patch_size == 0
    return height in (1, 3) and min(width, channels) > 4 and not fits


def check_width(embed_dim: int, num_heads: int) -> None:
    """Raises `ValueError` unless the heads share the width evenly."""
    check_positive(embed_dim=embed_dim, num_heads=num_heads)
    if embed_dim % num_heads:
        raise ValueError(
            "`num_heads` must divide `embed_dim`. Received: "
            f"embed_dim={embed_dim}, num_heads={num_heads}"
        )


def image_input(input_tensor: Tensor | None, input_shape: Shape) -> Tensor:
    """The model's symbolic input: the caller's tensor, or a new one."""
    if input_tensor is None:
        return keras.Input(shape=input_shape, name="images")
    if not keras.backend.is_keras_tensor(input_tensor):
        raise ValueError(
            "`input_tensor` must be a symbolic Keras tensor, such as keras.Input() "
            f"gives. Received: {type(input_tensor).__name__}"
        )
    if tuple(input_tensor.shape[1:]) != tuple(input_shape):
        raise ValueError(
            "`input_tensor` must have the shape of `input_shape` behind the batch. "
            f"Received: shape={tuple(input_tensor.shape)}, input_shape={input_shape}"
        )
    return input_tensor


def patch_tokens(
    input_tensor: Tensor | None,
    input_shape: Shape,
    *,
    patch_size: int,
    embed_dim: int,
    include_preprocessing: bool,
    preprocessing: Preprocessing,
) -> tuple[Tensor, Tensor]:
    """The model's symbolic input, and its patches `(batch, patches, embed_dim)`."""
    inputs = image_input(input_tensor, input_shape)
    x = prepared_images(inputs, preprocessing, normalize=include_preprocessing)
    embedding = PatchEmbedding(
        patch_size=patch_size, embed_dim=embed_dim, name="patch_embedding"
    )
    return inputs, embedding(x)


def model_inputs(inputs: Tensor, input_tensor: Tensor | None) -> Tensor:
    """What the model begins with: its own input, or those of the caller's tensor."""
    if input_tensor is None:
        return inputs
    sources = keras.utils.get_source_inputs(input_tensor)
    return sources[0] if len(sources) == 1 else sources


def prepared_images(
    images: Tensor, preprocessing: Preprocessing, *, normalize: bool
) -> Tensor:
    """The images, normalized if they come in [0, 255], and a record of how.

    Raises:
        ValueError: If `preprocessing` does not fit the images.

    """
    fitting = preprocessing.of_model(tuple(images.shape[1:]))
    return ImagePreprocessing(
        mean=fitting.mean,
        std=fitting.std,
        crop_pct=fitting.crop_pct,
        interpolation=fitting.interpolation,
        normalize=normalize,
        # A pixel's last bits would be lost in half precision.
        dtype=full_precision(),
        name="preprocessing",
    )(images)


def published_preprocessing(
    family: str, input_shape: Shape, **sizes: Any
) -> Preprocessing:
    """How images are prepared for the published model of these sizes.

    A model that nobody published sees the whole image, normalized as all are.

    Args:
        family: "cait", "deit", "deit3" or "regnet".
        input_shape: Height and width in pixels, and channels.
        **sizes: The arguments that make the model.

    Example:
        >>> sizes = {"patch_size": 16, "embed_dim": 192, "depth": 12, "num_heads": 3}
        >>> published_preprocessing(
        ...     "deit", (224, 224, 3), **sizes, distilled=False).crop_pct
        0.9

    """
    for variant in VARIANTS.values():
        same = {name: sizes.get(name) for name in variant.sizes} == variant.sizes
        if variant.family == family and same and variant.checkpoints:
            return variant.checkpoint_for(input_shape).preprocessing
    return Preprocessing()
