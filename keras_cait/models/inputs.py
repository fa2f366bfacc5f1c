"""What every model does first: check its sizes and take the images in."""

from typing import Any

import keras

from keras_cait.layers import PatchEmbedding
from keras_cait.layers.checks import check_positive, is_integer
from keras_cait.typing import Shape, Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # per channel, of images in [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)


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
) -> tuple[Tensor, Tensor]:
    """The model's symbolic input, and its patches `(batch, patches, embed_dim)`."""
    inputs = image_input(input_tensor, input_shape)
    x = normalise(inputs) if include_preprocessing else inputs
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


def statistics_of(channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """ImageNet's mean and standard deviation for images of so many channels, in [0, 1].

    Grey images, and any other number of channels, take the mean of the three.

    Example:
        >>> [round(value, 3) for (value,) in statistics_of(1)]
        [0.449, 0.226]

    """
    if channels == 3:
        return IMAGENET_MEAN, IMAGENET_STD
    mean, std = ((sum(of) / 3,) * channels for of in (IMAGENET_MEAN, IMAGENET_STD))
    return mean, std


def normalise(images: Tensor) -> Tensor:
    """Images in [0, 255] to ImageNet's mean 0 and standard deviation 1."""
    mean, std = statistics_of(images.shape[-1])
    return keras.layers.Rescaling(
        scale=[1 / (255 * s) for s in std],
        offset=[-m / s for m, s in zip(mean, std, strict=True)],
        # A pixel's last bits would be lost in half precision.
        dtype=keras.config.dtype_policy().variable_dtype,
        name="normalise",
    )(images)
