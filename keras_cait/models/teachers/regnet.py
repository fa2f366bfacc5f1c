"""RegNetY: the convnet that DeiT and CaiT were taught by."""

from collections.abc import Sequence

import keras

from keras_cait.layers.checks import check_rates
from keras_cait.models.argument_checks import default_name, refuse_unknown_arguments
from keras_cait.models.classes.names import check_class_names
from keras_cait.models.classifier_head import linear_head, pool_map, predictions
from keras_cait.models.image_inputs import (
    check_image_shape,
    image_input,
    model_inputs,
    prepared_images,
    published_preprocessing,
)
from keras_cait.models.teachers.regnet_block import bottleneck, convolution, relu
from keras_cait.models.teachers.regnet_stages import regnet_stages
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape, Tensor

_STEM_WIDTH = 32  # channels, in every RegNet


@refuse_unknown_arguments
def RegNetY(
    *,
    input_shape: Shape = (224, 224, 3),
    depth: int,
    w0: int,
    wa: float,
    wm: float,
    group_size: int,
    se_ratio: float = 0.25,
    drop_path_rate: float = 0.0,
    include_top: bool = True,
    include_preprocessing: bool = False,
    preprocessing: Preprocessing | None = None,
    input_tensor: Tensor | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    class_names: Sequence[str] | None = None,
    classifier_activation: str | None = "softmax",
    name: str | None = None,
) -> keras.Model:
    """Builds a RegNetY of any size, with random weights.

    A 3 x 3 stem and four stages, each of which halves the side of the image; the
    mean over what is left; one linear layer. Each block is a residual bottleneck
    as wide inside as outside, whose 3 x 3 convolution is grouped and followed by
    squeeze-and-excitation.

    Args:
        input_shape: Height, width (pixels, of any size) and channels.
        depth: Number of blocks in all.
        w0: Width of the first block, a multiple of 8; see `regnet_stages` for how
            this and the next three make the stages.
        wa: How fast the width grows, in channels a block.
        wm: Ratio of the widths of two stages, above 1.
        group_size: Channels of a group in the grouped convolutions.
        se_ratio: Width of the squeezed vector as a multiple of the width that
            comes into the block, in (0, 1].
        drop_path_rate: Stochastic depth, in [0, 1): a linear ramp from 0 in the
            first block to this in the last.
        include_top: Whether to end in the classifier.
        include_preprocessing: Whether images come in [0, 255] and are normalized
            in the model. Otherwise they come normalized.
        preprocessing: A `keras_cait.Preprocessing`: the mean and standard deviation
            that images are normalized with, and how they are cropped and resized;
            None for the published one of these sizes. The model keeps it.
        input_tensor: A Keras tensor to use as the input.
        pooling: What a model without top gives: None, the feature map
            `(batch, rows, columns, width)`; "avg" or "max", its mean or maximum
            over the image.
        classes: Number of classes.
        class_names: Their names, in order, which the model keeps; None for none.
        classifier_activation: Activation of the output; None for logits.
        name: Name of the model; None for "regnety", with a number where that is taken.

    Returns:
        A functional `keras.Model`: `(batch, height, width, channels)` to
        `(batch, classes)`.

    Raises:
        ValueError: If an argument is out of range or does not fit another.

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
    check_image_shape(input_shape)
    check_class_names(class_names, classes if include_top else None)
    check_rates(drop_path_rate=drop_path_rate)
    stages = regnet_stages(depth=depth, w0=w0, wa=wa, wm=wm, group_size=group_size)
    _check_squeeze(se_ratio, min(_STEM_WIDTH, stages[0].width))

    inputs = image_input(input_tensor, input_shape)
    sizes = {"depth": depth, "w0": w0, "wa": wa, "wm": wm}
    sizes |= {"group_size": group_size, "se_ratio": se_ratio}
    x = prepared_images(
        inputs,
        preprocessing or published_preprocessing("regnet", input_shape, **sizes),
        normalize=include_preprocessing,
    )
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
                drop_path_rate=drop_path_rate * built / (depth - 1),
            )
            built += 1

    if include_top:
        # As timm draws it, narrower than the transformers' heads.
        initializer = keras.initializers.RandomNormal(stddev=0.01)
        x = linear_head(pool_map(x, "avg"), classes, initializer=initializer)
        outputs = predictions(x, classifier_activation, class_names)
    else:
        outputs = pool_map(x, pooling)
    name = name or default_name("regnety")
    return keras.Model(model_inputs(inputs, input_tensor), outputs, name=name)


def _check_squeeze(se_ratio: float, narrowest: int) -> None:
    if not 0 < se_ratio <= 1 or round(narrowest * se_ratio) < 1:
        raise ValueError(
            "`se_ratio` must be in (0, 1] and leave at least one channel of "
            f"{narrowest}, the narrowest. Received: se_ratio={se_ratio}"
        )
