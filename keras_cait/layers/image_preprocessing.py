"""ImagePreprocessing: the first layer, which stores a model's `Preprocessing`."""

from typing import Any

import keras
from keras import ops

from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_cait")
class ImagePreprocessing(keras.layers.Layer):
    """Stores how images are prepared for a model, and normalizes them on demand.

    With `normalize=True` it takes images in [0, 255] and `y = (x / 255 - mean) / std`
    for each channel; otherwise it takes normalized images and `y = x`. Its
    configuration holds the `keras_cait.Preprocessing` of a model, saved or rebuilt,
    but for the image size, which is that of the model's input.

    Args:
        mean: As of `keras_cait.Preprocessing`.
        std: As of `keras_cait.Preprocessing`.
        crop_pct: As of `keras_cait.Preprocessing`.
        interpolation: As of `keras_cait.Preprocessing`.
        normalize: Whether the layer normalizes.
        **kwargs: Arguments of `keras.layers.Layer`.

    Input shape: `(batch, height, width, channels)`.
    Output shape: `(batch, height, width, channels)`.

    Raises:
        ValueError: If a value is out of range.

    Example:
        >>> import numpy as np
        >>> layer = ImagePreprocessing(
        ...     mean=(0.5,) * 3, std=(0.25,) * 3, normalize=True
        ... )
        >>> float(layer(np.full((1, 2, 2, 3), 255.0))[0, 0, 0, 0])
        2.0

    Reference:
        The `pretrained_cfg` that timm publishes with weights,
        https://huggingface.co/docs/timm/reference/data

    """

    def __init__(
        self,
        *,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        crop_pct: float = 1.0,
        interpolation: str = "bicubic",
        normalize: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.preprocessing = Preprocessing(
            mean=mean, std=std, crop_pct=crop_pct, interpolation=interpolation
        )
        self.mean = self.preprocessing.mean
        self.std = self.preprocessing.std
        self.crop_pct = crop_pct
        self.interpolation = interpolation
        self.normalize = normalize

    @property
    def scale(self) -> tuple[float, ...]:
        """Factor of each channel of images in [0, 255], as `Rescaling` has it."""
        return self.preprocessing.scale

    @property
    def offset(self) -> tuple[float, ...]:
        """Summand of each channel, likewise."""
        return self.preprocessing.offset

    def call(self, inputs: Tensor) -> Tensor:
        if not self.normalize:
            return inputs
        dtype = self.compute_dtype
        scale = ops.convert_to_tensor(self.scale, dtype)
        offset = ops.convert_to_tensor(self.offset, dtype)
        return ops.cast(inputs, dtype) * scale + offset

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "mean": self.mean,
            "std": self.std,
            "crop_pct": self.crop_pct,
            "interpolation": self.interpolation,
            "normalize": self.normalize,
        }
