"""Small residual convnet, the teacher for small images."""

from collections.abc import Sequence

import keras

from keras_cait.models.image_inputs import image_input
from keras_cait.typing import Shape, Tensor


def small_convnet(
    *,
    input_shape: Shape,
    classes: int,
    widths: Sequence[int] = (32, 64, 128),
    blocks: int = 1,
    name: str = "convnet",
) -> keras.Model:
    """Builds a residual convnet for images in [0, 255] of 8 to 64 pixels a side.

    A 3 x 3 stem; one stage for each of `widths`, all but the first halving the side, of
    `blocks` residual pairs of 3 x 3 convolutions with batch normalization; mean over
    the image; one linear layer, which gives logits (He et al., section 4.2,
    https://arxiv.org/abs/1512.03385). A convnet teaches a transformer better than
    another transformer of equal accuracy does (DeiT, table 2).

    Example:
        >>> small_convnet(input_shape=(8, 8, 1), classes=10).output_shape
        (None, 10)

    """
    inputs = image_input(None, input_shape)
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = _convolution(x, widths[0])
    x = keras.layers.Activation("relu")(x)
    for stage, width in enumerate(widths):
        for block in range(blocks):
            x = _residual(x, width, 2 if stage and block == 0 else 1)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(classes, name="head")(x), name=name)


def _residual(x: Tensor, width: int, stride: int) -> Tensor:
    y = keras.layers.Activation("relu")(_convolution(x, width, stride))
    y = _convolution(y, width)
    if stride != 1 or x.shape[-1] != width:
        x = _convolution(x, width, stride, size=1)
    return keras.layers.Activation("relu")(keras.layers.Add()([x, y]))


def _convolution(x: Tensor, width: int, stride: int = 1, size: int = 3) -> Tensor:
    x = keras.layers.Conv2D(
        width,
        size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        data_format="channels_last",
    )(x)
    # Runs here take hundreds of steps, not the thousands that 0.99 averages over.
    return keras.layers.BatchNormalization(momentum=0.9)(x)
