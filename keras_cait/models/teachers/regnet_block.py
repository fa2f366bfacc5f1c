"""Block of RegNetY: a bottleneck with squeeze-and-excitation."""

import keras

from keras_cait.layers import StochasticDepth
from keras_cait.layers.initializers import convolution_initializer
from keras_cait.typing import Tensor


def bottleneck(
    x: Tensor,
    width: int,
    name: str,
    *,
    groups: int,
    stride: int,
    se_ratio: float,
    drop_path_rate: float,
) -> Tensor:
    """Three convolutions and a shortcut, `(batch, rows, columns, dim)` in and out.

    `x = relu(shortcut(x) + drop(conv(excite(conv(conv(x))))))`, with `width` channels
    inside and at the end. `groups` and `stride` are those of the 3 x 3 convolution.
    """
    y = relu(convolution(x, width, 1, name, 1), f"{name}_relu1")
    y = convolution(y, width, 3, name, 2, stride=stride, groups=groups)
    y = relu(y, f"{name}_relu2")
    y = _squeeze_and_excite(y, round(x.shape[-1] * se_ratio), name)
    # Starts with a scale of 0, so that the block starts as its shortcut alone.
    y = convolution(y, width, 1, name, 3, gamma_initializer="zeros")
    y = StochasticDepth(rate=drop_path_rate, name=f"{name}_drop_path")(y)
    if stride != 1 or x.shape[-1] != width:
        x = convolution(x, width, 1, f"{name}_shortcut", stride=stride)
    return relu(keras.layers.Add(name=f"{name}_add")([x, y]), f"{name}_relu3")


def convolution(
    x: Tensor,
    width: int,
    size: int,
    name: str,
    part: int | str = "",
    *,
    stride: int = 1,
    groups: int = 1,
    gamma_initializer: str = "ones",
) -> Tensor:
    """A convolution without bias, then batch normalization, as torch computes them.

    Its kernel has `width` outputs and the odd side `size`. The names of its layers
    begin with `name` and end with `part`.
    """
    padding = "same"
    if stride > 1:
        # "same" would pad an even side at the far end only; torch pads both ends.
        padding = "valid"
        if size > 1:
            x = keras.layers.ZeroPadding2D(
                size // 2, data_format="channels_last", name=f"{name}_pad{part}"
            )(x)
    x = keras.layers.Conv2D(
        width,
        size,
        strides=stride,
        padding=padding,
        groups=groups,
        use_bias=False,
        kernel_initializer=convolution_initializer(groups),
        data_format="channels_last",
        name=f"{name}_conv{part}",
    )(x)
    return keras.layers.BatchNormalization(
        momentum=0.9,  # weight of the old statistics; torch's 0.1 is that of the new
        epsilon=1e-5,
        gamma_initializer=gamma_initializer,
        name=f"{name}_norm{part}",
    )(x)


def relu(x: Tensor, name: str) -> Tensor:
    """The negative part set to 0."""
    return keras.layers.Activation("relu", name=name)(x)


def _squeeze_and_excite(x: Tensor, squeezed: int, name: str) -> Tensor:
    """Scales each channel by a factor in (0, 1), a function of all channels' means."""
    y = keras.layers.GlobalAveragePooling2D(
        keepdims=True, data_format="channels_last", name=f"{name}_mean"
    )(x)  # (batch, 1, 1, dim)
    for part, width, activation in (
        ("squeeze", squeezed, "relu"),
        ("excite", x.shape[-1], "sigmoid"),
    ):
        y = keras.layers.Conv2D(
            width,
            1,
            activation=activation,
            kernel_initializer=convolution_initializer(),
            data_format="channels_last",
            name=f"{name}_{part}",
        )(y)
    return keras.layers.Multiply(name=f"{name}_scale")([x, y])
