"""Rebuilding of a model in float32."""

from collections.abc import Callable
from typing import Any

import keras

from keras_cait.typing import Tensor


def in_float32(
    model: keras.Model,
    *,
    batch_size: int | None = None,
    call: Callable[..., Any] | None = None,
) -> keras.Model:
    """Rebuilds a functional model, nested models included, in float32, not compiled.

    Layers, names and weights stay the same. Integer inputs keep their type, and inputs
    their batch size if none is given. `call` gets each new layer and its arguments, and
    returns its outputs; by default it calls the layer.
    """
    graph = functional(model)
    inputs = keras.tree.map_structure(
        lambda tensor: float32_input(tensor, batch_size=batch_size), graph.input
    )
    rebuilt = keras.models.clone_model(
        graph,
        input_tensors=inputs,
        clone_function=float32_step,
        call_function=call,
        recursive=True,
    )
    rebuilt.set_weights(graph.get_weights())
    return rebuilt


def functional(model: keras.Model) -> keras.Model:
    """The same layers as an uncompiled functional model."""
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            "Expected a functional keras.Model, such as the builders of keras_cait "
            f"make. Received: {model!r}. Build it with keras.Model(inputs, outputs)."
        )
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return keras.Model(model.input, model.output, name=model.name)


def float32_input(tensor: Tensor, *, batch_size: int | None = None) -> Tensor:
    """A model input like another one, in float32."""
    kind = keras.backend.standardize_dtype(tensor.dtype)
    return keras.Input(
        batch_shape=(batch_size or tensor.shape[0], *tensor.shape[1:]),
        dtype="float32" if "float" in kind else kind,
        name=tensor.name,
    )


def float32_step(step: Any, **changed: Any) -> Any:
    """Rebuilds a layer or operation in float32, with changes of its configuration."""
    if isinstance(step, keras.Model):
        return in_float32(step)
    config: dict[str, Any] = {**step.get_config(), **changed}
    if "dtype" in config:
        config["dtype"] = "float32"
    try:
        return type(step).from_config(config)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "Expected layers that can be rebuilt from their configuration. Received: "
            f"{step.name!r}, a {type(step).__name__}, which fails: {error}. Give it a "
            "`get_config` that returns all arguments of its `__init__`, or remove it "
            "from the model."
        ) from error
