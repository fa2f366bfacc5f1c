"""How images are prepared for a model, as data."""

import contextlib
from dataclasses import dataclass

import keras

from keras_cait.models.inputs import IMAGENET_MEAN, IMAGENET_STD, statistics_of
from keras_cait.models.registry import find_variant
from keras_cait.variants import VARIANTS
from keras_cait.weights.recognise import variant_name
from keras_cait.weights.timm_names import timm_parameters


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """What happens to an image before a model sees it.

    The shorter side is resized to `image_size / crop_pct`, a crop of `image_size`
    is taken from the centre, and `(x / 255 - mean) / std` follows.

    Attributes:
        image_size: Height and width of the crop, in pixels.
        crop_pct: Part of the resized image's side that the crop keeps, in (0, 1].
        interpolation: How the image is resized.
        mean: Of each channel of images in [0, 1]; as many as the model takes.
        std: Standard deviation likewise.
    """

    image_size: tuple[int, int]
    crop_pct: float = 1.0
    interpolation: str = "bicubic"
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD


def preprocessing_for(model: keras.Model | str) -> Preprocessing:
    """How images are prepared for a published model, or for one of its layout.

    Args:
        model: A name of timm's ("cait_s24_384") or of ours ("CaiT_S24"), or a model
            of this package. A model of another size than the published ones is
            taken to see the whole image (`crop_pct` 1).

    Returns:
        A `Preprocessing`. For a model its `image_size` is that of the model.

    Raises:
        ValueError: If there is no such name, or the model is not of this package.

    Example:
        >>> preprocessing_for("deit_tiny_patch16_224").crop_pct
        0.9

    Reference:
        The configurations that timm publishes with the weights.

    """
    if isinstance(model, str):
        variant, checkpoint = find_variant(model)
        size = checkpoint.image_size if checkpoint else variant.image_size
        if checkpoint is None and variant.checkpoints:
            checkpoint = variant.checkpoints[0]
        crop_pct = checkpoint.crop_pct if checkpoint else 1.0
        return Preprocessing(image_size=(size, size), crop_pct=crop_pct)
    parameters = timm_parameters(model)
    name = variant_name({key: entry.timm_shape for key, entry in parameters.items()})
    height, width, channels = model.input_shape[1:]
    crop_pct = 1.0
    if name is not None and VARIANTS[name].checkpoints:
        crop_pct = VARIANTS[name].checkpoint_for((height, width, channels)).crop_pct
    mean, std = statistics_of(channels)
    return Preprocessing(
        image_size=(height, width), crop_pct=crop_pct, mean=mean, std=std
    )


def own_preprocessing(model: keras.Model) -> Preprocessing:
    """How images are prepared for a model, published or not.

    As `preprocessing_for`, but a model of another package or layout is taken to see
    the whole image at its size.

    Example:
        >>> other = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()])
        >>> own_preprocessing(other).image_size, own_preprocessing(other).crop_pct
        ((32, 32), 1.0)

    """
    with contextlib.suppress(ValueError):
        return preprocessing_for(model)
    height, width, channels = model.input_shape[1:]
    mean, std = statistics_of(channels)
    return Preprocessing(image_size=(height, width), mean=mean, std=std)
