"""Preparation of a Keras model for other runtimes: float32, folded, named outputs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_cait.export.folding.fold import check_foldable, fold
from keras_cait.export.folding.full_precision import functional
from keras_cait.export.pipeline.class_attention import MapOrder
from keras_cait.export.pipeline.outputs import (
    DEFAULT_OUTPUTS,
    tensor_names,
    with_named_outputs,
)
from keras_cait.models.classes.names import check_class_names, class_names_of
from keras_cait.models.logits import output_kind
from keras_cait.models.pixel_inputs import takes_pixels
from keras_cait.models.published.imagenet import preprocess_input
from keras_cait.models.published.preprocessing import preprocessing_for
from keras_cait.preprocessing import Preprocessing
from keras_cait.terminal.steps import counted_step

_BATCH = 8  # images that the Keras model predicts at once


@dataclass(frozen=True, kw_only=True)
class PreparedModel:
    """A classifier that is ready for export."""

    reference: keras.Model  # in float32, with the outputs by name
    model: keras.Model  # for inference: folded, with the same outputs
    outputs: tuple[str, ...]  # names, in order
    classes: int
    class_attention: MapOrder | None  # if it is an output
    preprocessing: Preprocessing
    takes_pixels: bool  # in [0, 255]; otherwise normalized images
    labels: tuple[str, ...] | None
    weights: str

    @property
    def published_source(self) -> str:
        """Source of the weights; of a file its name alone, since exports are published.

        The report, which stays beside an export, has the whole path.
        """
        is_file = os.path.isfile(self.weights) or os.path.isabs(self.weights)
        return os.path.basename(self.weights) if is_file else self.weights

    @property
    def input_description(self) -> str:
        """Shape, type and range of the input."""
        height, width, channels = self.model.input_shape[1:]
        values = "in [0, 255]" if self.takes_pixels else "normalized by mean and std"
        return f"images {height} x {width} x {channels}, float32, {values}"

    @property
    def report_fields(self) -> dict[str, Any]:
        """Fields of `ExportReport` that describe the model."""
        return {
            "model": self.reference.name,
            "weights": self.weights,
            "image_size": self.preprocessing.image_size,
            "crop_pct": self.preprocessing.crop_pct,
            "interpolation": self.preprocessing.interpolation,
            "mean": self.preprocessing.mean,
            "std": self.preprocessing.std,
            "labels": self.labels,
            "class_attention": self.class_attention,
        }

    def model_inputs(self, pixels: np.ndarray) -> np.ndarray:
        """Images in [0, 255] as inputs of the model, float32."""
        if not self.takes_pixels:
            pixels = preprocess_input(pixels, preprocessing=self.preprocessing)
        return pixels.astype("float32")

    def predict(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs of the Keras model by name, in order, `(images, ...)`."""
        batches = -(-len(inputs) // _BATCH)
        with counted_step("running the Keras model", batches) as advance:
            counter = keras.callbacks.LambdaCallback(
                on_predict_batch_end=lambda batch, logs: advance()
            )
            found = self.reference.predict(
                inputs, batch_size=_BATCH, verbose=0, callbacks=[counter]
            )
        return {name: found[name] for name in self.outputs}


def prepare(
    model: keras.Model,
    *,
    labels: Sequence[str] | None = None,
    weights: str = "not stated",
    outputs: Sequence[str] = DEFAULT_OUTPUTS,
) -> PreparedModel:
    """Prepares a classifier of this package for export, or raises `ValueError`.

    Labels are the given ones, or those stored in the model; `outputs` are of `OUTPUTS`.
    """
    model = functional(model)
    check_foldable(model)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            "Expected a classifier of one input and one output. Received: "
            f"{model.name!r}, with {len(model.inputs)} inputs and "
            f"{len(model.outputs)} outputs. Export the model that its builder gave, "
            "with heads as one of the `outputs`."
        )
    preprocessing = preprocessing_for(model)
    if output_kind(model) is None:
        raise ValueError(
            "Expected a classifier that ends in logits or in a softmax, built with "
            f"`include_top=True`. Received: {model.name!r}, which gives "
            f"{model.output_shape}."
        )
    classes = model.output_shape[-1]
    labels = check_class_names(labels, classes, "labels")
    reference = with_named_outputs(model, outputs)
    has_maps = "class_attention" in outputs
    return PreparedModel(
        reference=reference,
        model=fold(reference),
        outputs=tensor_names(outputs),
        classes=classes,
        class_attention=MapOrder.of(model) if has_maps else None,
        preprocessing=preprocessing,
        takes_pixels=takes_pixels(model),
        labels=labels or class_names_of(model),
        weights=weights,
    )
