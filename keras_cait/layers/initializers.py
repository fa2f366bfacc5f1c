"""Initializers of the official code."""

import keras


def weight_initializer() -> keras.Initializer:
    """Normal with standard deviation 0.02, for projections and learned tokens.

    The official code calls a truncated normal whose bounds are the absolute
    values -2 and 2, a hundred standard deviations away: it truncates nothing.
    Each call makes a new object, because one object of Keras draws equal values.
    """
    return keras.initializers.RandomNormal(stddev=0.02)


def patch_initializer() -> keras.Initializer:
    """Uniform within 1 / sqrt(fan_in): torch's default for a convolution.

    The official code leaves the patch convolution at that default.
    """
    return keras.initializers.VarianceScaling(
        scale=1 / 3, mode="fan_in", distribution="uniform"
    )


def convolution_initializer(groups: int = 1) -> keras.Initializer:
    """Normal with variance 2 / fan_out, as timm's RegNet draws its convolutions.

    The fan of a grouped convolution counts the outputs of one group, where Keras
    counts those of all.
    """
    return keras.initializers.VarianceScaling(
        scale=2 * groups, mode="fan_out", distribution="untruncated_normal"
    )
