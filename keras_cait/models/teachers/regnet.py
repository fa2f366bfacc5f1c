"""RegNetY: the convnet teacher of DeiT and CaiT."""

from dataclasses import dataclass

import keras

from keras_cait.models.arguments import ModelArguments, check_model, with_arguments_of
from keras_cait.models.classifier_head import linear_head, pool_map, predictions
from keras_cait.models.functional_model import functional_model
from keras_cait.models.image_inputs import prepared_input
from keras_cait.models.teachers.regnet_block import bottleneck, convolution, relu
from keras_cait.models.teachers.regnet_stages import regnet_stages

_STEM_WIDTH = 32  # channels, in every RegNet


@dataclass(frozen=True, kw_only=True)
class RegNetSizes:
    """Sizes of a RegNet; `regnet_stages` makes its stages of the first five.

    Attributes:
        depth: Number of blocks in all.
        w0: Width of the first block, a multiple of 8.
        wa: Growth of the width, in channels a block.
        wm: Ratio of the widths of two stages, above 1.
        group_size: Channels of a group in the grouped convolutions.
        se_ratio: Width of the squeezed vector as a multiple of the width that
            comes into the block, in (0, 1].
    """

    depth: int
    w0: int
    wa: float
    wm: float
    group_size: int
    se_ratio: float = 0.25


@dataclass(frozen=True, kw_only=True)
class RegNetArguments(ModelArguments, RegNetSizes): ...  # noqa: D101


@with_arguments_of(RegNetArguments)
def RegNetY(arguments: RegNetArguments) -> keras.Model:
    """Builds a RegNetY of any size, with random weights.

    A 3 x 3 stem and four stages, each of which halves the side of the image; the
    mean over the image; one linear layer. Each block is a residual bottleneck
    as wide inside as outside, whose 3 x 3 convolution is grouped and followed by
    squeeze-and-excitation. Images may have sides of any length.

    Stochastic depth grows linearly from 0 in the first block to `drop_path_rate` in the
    last. `RegNetSizes` and `keras_cait.models.arguments` describe each argument. Output
    and errors are those of `keras_cait.DeiT`.

    Example:
        >>> model = RegNetY(
        ...     input_shape=(32, 48, 3), depth=7, w0=8, wa=8.0, wm=1.8, group_size=8,
        ...     classes=10,
        ... )
        >>> model.output_shape
        (None, 10)

    Reference:
        Radosavovic et al., Designing Network Design Spaces, sections 3.3 and 4,
        https://arxiv.org/abs/2003.13678

    """
    check_model(arguments)
    depth, se_ratio = arguments.depth, arguments.se_ratio
    stages = regnet_stages(
        depth=depth,
        w0=arguments.w0,
        wa=arguments.wa,
        wm=arguments.wm,
        group_size=arguments.group_size,
    )
    _check_squeeze(se_ratio, min(_STEM_WIDTH, stages[0].width))

    inputs, x = prepared_input(arguments, "regnet")
    x = relu(convolution(x, _STEM_WIDTH, 3, "stem", stride=2), "stem_relu")
    built = 0
    for number, stage in enumerate(stages, start=1):
        for index in range(1, stage.depth + 1):
            x = bottleneck(
                x,
                stage.width,
                f"stage_{number}_block_{index}",
                groups=stage.width // stage.group_size,
                stride=2 if index == 1 else 1,
                se_ratio=se_ratio,
                drop_path_rate=arguments.drop_path_rate * built / (depth - 1),
            )
            built += 1

    if arguments.include_top:
        # As timm draws it, narrower than the transformers' heads.
        initializer = keras.initializers.RandomNormal(stddev=0.01)
        x = pool_map(x, "avg")
        logits = linear_head(x, arguments.classes, initializer=initializer)
        outputs = predictions(
            logits, arguments.classifier_activation, arguments.class_names
        )
    else:
        outputs = pool_map(x, arguments.pooling)
    return functional_model(inputs, outputs, arguments, "regnety")


def _check_squeeze(se_ratio: float, narrowest: int) -> None:
    if not 0 < se_ratio <= 1 or round(narrowest * se_ratio) < 1:
        raise ValueError(
            "`se_ratio` must be in (0, 1] and leave at least one channel of "
            f"{narrowest}, the narrowest. Received: se_ratio={se_ratio}"
        )
