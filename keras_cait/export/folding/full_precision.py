"""A model of any precision, rebuilt to compute in float32."""

from typing import Any

import keras

from keras_cait.typing import Tensor


def in_float32(model: keras.Model) -> keras.Model:
    """Rebuilds a functional model so that it computes and keeps all in float32.

    Its layers, names and weights stay; what was float16, bfloat16 or float64, or a
    mixture, becomes float32, images included. Inputs of whole numbers stay so.

    Args:
        model: A functional model of layers that can be rebuilt from their
            configuration, nested models included. It is left as it is.

    Returns:
        Another `keras.Model`, with weights of its own; not compiled.

    Raises:
        ValueError: If the model or one of its layers cannot be rebuilt.

    Example:
        >>> with_halves = keras.Sequential([
        ...     keras.Input((4,)), keras.layers.Dense(3, dtype="mixed_float16")])
        >>> in_float32(with_halves).layers[-1].compute_dtype
        'float32'

    """
    graph = functional(model)
    rebuilt = keras.models.clone_model(
        graph,
        input_tensors=keras.tree.map_structure(float32_input, graph.input),
        clone_function=float32_step,
        recursive=True,
    )
    rebuilt.set_weights(graph.get_weights())
    return rebuilt


def functional(model: keras.Model) -> keras.Model:
    """The same layers as a functional model, without what it was compiled with.

    Raises:
        ValueError: If the model has no graph.

    """
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError(
            "Expected a functional keras.Model, such as the builders of keras_cait "
            f"make. Received: {model!r}. Build it with keras.Model(inputs, outputs)."
        )
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    return keras.Model(model.input, model.output, name=model.name)


def float32_input(tensor: Tensor) -> Tensor:
    """A new input of a model, like another but of float32."""
    kind = keras.backend.standardize_dtype(tensor.dtype)
    return keras.Input(
        batch_shape=tensor.shape,
        dtype="float32" if "float" in kind else kind,
        name=tensor.name,
    )


def float32_step(step: Any, **changed: Any) -> Any:
    """A layer, or what stands between layers, such as a slice, once more.

    Args:
        step: The layer.
        **changed: What shall be different in its configuration.

    Raises:
        ValueError: If it cannot be made from that.

    """
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
            f"{step.name!r}, a {type(step).__name__}, which says: {error}. Give it a "
            "`get_config` that holds all arguments of its `__init__`, or leave it out "
            "of the model."
        ) from error
