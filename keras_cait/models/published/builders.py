"""The published variants as functions, with the signature of keras.applications.

Each builder makes one row of `keras_cait.variants.VARIANTS`, which cites its source.
`keras_cait.models.published.building.BuilderArguments` describes their arguments; the
options of a family are those of its function, such as `keras_cait.CaiT`.

Top-1 accuracies are those on ImageNet's validation images in the official README, of
CaiT-XXS (not listed there) in timm's results; for DeiT-III, of training on ImageNet-1k.

Example:
    >>> DeiT_Ti(weights=None, classes=10).output_shape
    (None, 10)

"""

import keras

from keras_cait.models.arguments import with_arguments_of
from keras_cait.models.published.building import (
    CaiTBuilderArguments,
    DeiT3BuilderArguments,
    DeiTBuilderArguments,
    RegNetBuilderArguments,
    build_variant,
)
from keras_cait.variants import VARIANTS


@with_arguments_of(DeiTBuilderArguments)
def DeiT_Ti(arguments: DeiTBuilderArguments) -> keras.Model:
    """DeiT-Ti: 12 blocks, 192 channels, 3 heads.

    Top-1 72.2 % at 224 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT_Ti"], arguments)


@with_arguments_of(DeiTBuilderArguments)
def DeiT_S(arguments: DeiTBuilderArguments) -> keras.Model:
    """DeiT-S: 12 blocks, 384 channels, 6 heads.

    Top-1 79.9 % at 224 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT_S"], arguments)


@with_arguments_of(DeiTBuilderArguments)
def DeiT_B(arguments: DeiTBuilderArguments) -> keras.Model:
    """DeiT-B: 12 blocks, 768 channels, 12 heads.

    Top-1 81.8 % at 224 pixels, 82.9 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT_B"], arguments)


@with_arguments_of(DeiTBuilderArguments)
def DeiT_Ti_Distilled(arguments: DeiTBuilderArguments) -> keras.Model:
    """DeiT-Ti with a distillation token: 12 blocks, 192 channels, 3 heads.

    Top-1 74.5 % at 224 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT_Ti_Distilled"], arguments)


@with_arguments_of(DeiTBuilderArguments)
def DeiT_S_Distilled(arguments: DeiTBuilderArguments) -> keras.Model:
    """DeiT-S with a distillation token: 12 blocks, 384 channels, 6 heads.

    Top-1 81.2 % at 224 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT_S_Distilled"], arguments)


@with_arguments_of(DeiTBuilderArguments)
def DeiT_B_Distilled(arguments: DeiTBuilderArguments) -> keras.Model:
    """DeiT-B with a distillation token: 12 blocks, 768 channels, 12 heads.

    Top-1 83.4 % at 224 pixels, 85.2 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT_B_Distilled"], arguments)


@with_arguments_of(DeiT3BuilderArguments)
def DeiT3_S(arguments: DeiT3BuilderArguments) -> keras.Model:
    """DeiT-III-S: 12 blocks, 384 channels, 6 heads.

    Top-1 81.4 % at 224 pixels, 83.4 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT3_S"], arguments)


@with_arguments_of(DeiT3BuilderArguments)
def DeiT3_M(arguments: DeiT3BuilderArguments) -> keras.Model:
    """DeiT-III-M: 12 blocks, 512 channels, 8 heads.

    Top-1 83.0 % at 224 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT3_M"], arguments)


@with_arguments_of(DeiT3BuilderArguments)
def DeiT3_B(arguments: DeiT3BuilderArguments) -> keras.Model:
    """DeiT-III-B: 12 blocks, 768 channels, 12 heads.

    Top-1 83.8 % at 224 pixels, 85.0 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT3_B"], arguments)


@with_arguments_of(DeiT3BuilderArguments)
def DeiT3_L(arguments: DeiT3BuilderArguments) -> keras.Model:
    """DeiT-III-L: 24 blocks, 1024 channels, 16 heads.

    Top-1 84.9 % at 224 pixels, 85.8 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT3_L"], arguments)


@with_arguments_of(DeiT3BuilderArguments)
def DeiT3_H(arguments: DeiT3BuilderArguments) -> keras.Model:
    """DeiT-III-H: 32 blocks, 1280 channels, 16 heads.

    Top-1 85.2 % at 224 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["DeiT3_H"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_XXS24(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-XXS24: 24 blocks, 192 channels, 4 heads.

    Top-1 78.4 % at 224 pixels, 81.0 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_XXS24"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_XXS36(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-XXS36: 36 blocks, 192 channels, 4 heads.

    Top-1 79.8 % at 224 pixels, 82.2 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_XXS36"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_XS24(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-XS24: 24 blocks, 288 channels, 6 heads.

    Top-1 84.1 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_XS24"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_XS36(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-XS36: 36 blocks, 288 channels, 6 heads.

    No weights were published. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_XS36"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_S24(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-S24: 24 blocks, 384 channels, 8 heads.

    Top-1 83.5 % at 224 pixels, 85.1 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_S24"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_S36(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-S36: 36 blocks, 384 channels, 8 heads.

    Top-1 85.4 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_S36"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_S48(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-S48: 48 blocks, 384 channels, 8 heads.

    No weights were published. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_S48"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_M24(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-M24: 24 blocks, 768 channels, 16 heads.

    No weights were published. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_M24"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_M36(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-M36: 36 blocks, 768 channels, 16 heads.

    Top-1 86.1 % at 384 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_M36"], arguments)


@with_arguments_of(CaiTBuilderArguments)
def CaiT_M48(arguments: CaiTBuilderArguments) -> keras.Model:
    """CaiT-M48: 48 blocks, 768 channels, 16 heads.

    Top-1 86.5 % at 448 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["CaiT_M48"], arguments)


@with_arguments_of(RegNetBuilderArguments)
def RegNetY_16GF(arguments: RegNetBuilderArguments) -> keras.Model:
    """RegNetY-16GF, the convnet teacher: 18 blocks in groups of 112 channels.

    Top-1 83.0 % at 224 pixels. Arguments: `BuilderArguments`.
    """
    return build_variant(VARIANTS["RegNetY_16GF"], arguments)
