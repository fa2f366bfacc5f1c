"""Logits of any classifier, from its outputs or head by head."""

from typing import Any, Literal

import keras
from keras import ops

from keras_cait.models.functional_model import with_outputs
from keras_cait.typing import Tensor

OutputKind = Literal["logits", "probabilities"]

HEAD_LAYERS = {"class": "head", "distillation": "head_distillation"}
"""Layers of the heads of a distilled model, by the names of their logits."""

# Layers through which logits stay logits and probabilities stay probabilities.
_TRANSPARENT = (
    keras.layers.Activation,  # linear, such as casts to float32
    keras.layers.Identity,
    keras.layers.Average,
    keras.layers.Dropout,
    keras.layers.Flatten,
    keras.layers.Reshape,
)


def output_kind(model: keras.Model) -> OutputKind | None:
    """Whether a classifier ends in logits or in probabilities.

    The last activation of the graph decides, through nested models. None stands for a
    subclassed model, an unusual last layer or another activation.
    """
    outputs = getattr(model, "outputs", None)
    return _kind(outputs[0]) if outputs else None


def _kind(tensor: Tensor) -> OutputKind | None:
    operation, node_index, _ = tensor._keras_history
    if isinstance(operation, keras.Model):
        return output_kind(operation)
    activation = getattr(operation, "activation", None)
    if _is_softmax(operation) or activation is keras.activations.softmax:
        return "probabilities"
    if activation not in (None, keras.activations.linear):
        return None
    if isinstance(operation, _TRANSPARENT):
        parents = operation._inbound_nodes[node_index].input_tensors
        kinds: set[OutputKind | None] = {_kind(parent) for parent in parents}
        return kinds.pop() if len(kinds) == 1 else None
    is_projection = hasattr(operation, "kernel") and activation is not None
    return "logits" if is_projection else None


def _is_softmax(operation: Any) -> bool:
    """Whether it is a softmax and nothing else, so that its input is logits."""
    if isinstance(operation, keras.layers.Activation):
        return operation.activation is keras.activations.softmax
    return isinstance(operation, keras.layers.Softmax)


def logits_from(outputs: Tensor, kind: OutputKind) -> Tensor:
    """Logits from a classifier's output.

    The logarithm of probabilities differs from the logits by one constant an
    example, which changes neither a softmax nor an argmax.
    """
    if kind == "logits":
        return outputs
    # The smallest normal float32 replaces a probability of 0.
    return ops.log(ops.maximum(outputs, 1.1754944e-38))


def output_logits(model: keras.Model) -> Tensor:
    """The symbolic logits of a classifier's output, of two heads their mean.

    Raises `ValueError` if the output is neither logits nor probabilities.
    """
    kind = _known_kind(model)
    predictions = model.outputs[0]
    operation, node_index, _ = predictions._keras_history
    if _is_softmax(operation):
        # The input of the softmax, which is more exact than a logarithm.
        return operation._inbound_nodes[node_index].input_tensors[0]
    return logits_from(predictions, kind)


def is_distilled(model: keras.Model) -> bool:
    """Whether a model has a distillation head at its top level."""
    return any(layer.name == HEAD_LAYERS["distillation"] for layer in model.layers)


def head_logits(model: keras.Model) -> dict[str, Tensor]:
    """The symbolic logits of each head; see `separate_heads`."""
    _known_kind(model)
    if is_distilled(model):
        return {
            name: model.get_layer(layer).output for name, layer in HEAD_LAYERS.items()
        }
    _refuse_hidden_heads(model)
    return {"class": output_logits(model)}


def _known_kind(model: keras.Model) -> OutputKind:
    kind = output_kind(model)
    if kind is None:
        raise ValueError(
            "Expected a functional classifier that ends in logits or a softmax: "
            "a model of keras_cait, of keras.applications, or one made with "
            f"keras.Model(inputs, outputs). Received: {type(model).__name__} "
            f"{model.name!r}. Build it functionally and let it end in "
            "Dense(classes) or Dense(classes, activation='softmax')."
        )
    return kind


def _refuse_hidden_heads(model: keras.Model) -> None:
    for inner in model.layers:
        if isinstance(inner, keras.Model):
            if is_distilled(inner):
                raise ValueError(
                    "Expected the heads of a distilled model at its top level. "
                    f"Received: {model.name!r}, which wraps {inner.name!r} and would "
                    "hide its distillation head. Pass that model itself, and move the "
                    "wrapper's other layers to the data pipeline."
                )
            _refuse_hidden_heads(inner)


def separate_heads(model: keras.Model) -> keras.Model:
    """Returns the same model, weights shared, with the logits of each head as outputs.

    Args:
        model: A model of this package with `include_top=True`, or any functional
            classifier that ends in logits or a softmax.

    Returns:
        A `keras.Model` whose output is a dictionary: "class", logits of the class
        head; "distillation", logits of the distillation head, if it has one.
        Each is `(batch, classes)`.

    Raises:
        ValueError: If the model is not functional, its output is neither logits
            nor probabilities, or it wraps a distilled model.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(32, 32, 3), patch_size=8, embed_dim=32, depth=1,
        ...     num_heads=4, distilled=True, classes=10,
        ... )
        >>> sorted(separate_heads(model).output)
        ['class', 'distillation']

    Reference:
        Touvron et al., Training data-efficient image transformers & distillation
        through attention, section 4, https://arxiv.org/abs/2012.12877

    """
    return with_outputs(model, head_logits(model), name=f"{model.name}_heads")
