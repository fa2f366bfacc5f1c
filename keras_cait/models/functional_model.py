"""Functional models from their outputs, with default names as Keras gives them."""

from typing import Any

import keras

from keras_cait.models.arguments import ModelArguments
from keras_cait.typing import Tensor


def functional_model(
    inputs: Tensor, outputs: Tensor, arguments: ModelArguments, kind: str
) -> keras.Model:
    """The model from `inputs` or the caller's tensor, by default named `kind`."""
    if arguments.input_tensor is not None:
        sources = keras.utils.get_source_inputs(arguments.input_tensor)
        inputs = sources[0] if len(sources) == 1 else sources
    return keras.Model(inputs, outputs, name=arguments.name or default_name(kind))


def with_outputs(
    model: keras.Model, outputs: Any, *, name: str | None = None
) -> keras.Model:
    """The model with other symbolic tensors of its graph as outputs, weights shared."""
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    return keras.Model(inputs, outputs, name=name)


def default_name(name: str) -> str:
    """The name, with a number if a model has it already.

    Keras numbers layers in the same way, so that two models of the same kind can stand
    in one graph.
    """
    used = keras.backend.get_uid(name) - 1
    return f"{name}_{used}" if used else name
