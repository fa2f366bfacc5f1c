"""Outputs of an export: their names, and the tensors that they stand for."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_cait.export.folding.full_precision import in_float32
from keras_cait.export.pipeline.class_attention import with_class_attention
from keras_cait.models.features.head_features import head_features
from keras_cait.models.functional_model import with_outputs
from keras_cait.models.logits import head_logits, output_kind, output_logits
from keras_cait.typing import Tensor

OUTPUTS = ("probabilities", "logits", "features", "heads", "class_attention")
"""Outputs that an export can have."""
DEFAULT_OUTPUTS = ("probabilities",)
DESCRIPTIONS = {
    "probabilities": "Of each class; they add up to 1.",
    "logits": "Of each class, before the softmax.",
    "features": "Input of the head.",
    "class_logits": "Of each class, by the head of the class token.",
    "distillation_logits": "Of each class, by the head of the distillation token.",
    "class_attention": "Attention of the class token to the patches.",
}
"""Tensors by name; the output `heads` is those of both heads."""
HEADS = ("class_logits", "distillation_logits")
OF_CLASSES = ("probabilities", "logits", *HEADS)
"""Tensors of one number a class, of which the largest is the prediction."""


def check_outputs(outputs: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of outputs; raises `ValueError` if one is unknown or twice."""
    names = () if isinstance(outputs, str) else tuple(outputs)
    if not names or len({*names}) < len(names) or not {*names} <= {*OUTPUTS}:
        raise ValueError(
            f"`outputs` must be a list of one or more of {', '.join(OUTPUTS)}, each "
            f"once. Received: outputs={outputs!r}"
        )
    return names


def tensor_names(outputs: Sequence[str]) -> tuple[str, ...]:
    """Names of the tensors of outputs, in order.

    Example:
        >>> tensor_names(["heads", "features"])
        ('class_logits', 'distillation_logits', 'features')

    """
    return tuple(
        name
        for output in outputs
        for name in (HEADS if output == "heads" else (output,))
    )


def with_named_outputs(model: keras.Model, outputs: Sequence[str]) -> keras.Model:
    """Rebuilds a classifier in float32, with a dictionary of these outputs.

    Raises `ValueError` if the model does not have one of them.
    """
    attention = None
    if "class_attention" in check_outputs(outputs):
        rebuilt, attention = with_class_attention(model)
    else:
        rebuilt = in_float32(model)
    tensors: dict[str, Tensor] = {}
    for name in outputs:
        if name == "class_attention":
            tensors[name] = attention
        elif name == "heads":
            tensors |= _heads(rebuilt)
        else:
            tensors[name] = _TENSORS[name](rebuilt)
    return with_outputs(rebuilt, tensors, name=model.name)


def named(outputs: Any) -> dict[str, Tensor]:
    """Outputs of a model by name; the only output of another model is probabilities."""
    return outputs if isinstance(outputs, dict) else {"probabilities": outputs}


def _probabilities(model: keras.Model) -> Tensor:
    if output_kind(model) == "probabilities":
        return model.output
    return keras.layers.Softmax(dtype="float32", name="probabilities")(model.output)


def _heads(model: keras.Model) -> dict[str, Tensor]:
    logits = head_logits(model)
    if len(logits) == 1:
        raise ValueError(
            "`outputs` may name heads of a distilled model only, which has two. "
            f"Received: {model.name!r}, which has one. Take logits."
        )
    return {f"{head}_logits": tensor for head, tensor in logits.items()}


_TENSORS = {
    "probabilities": _probabilities,
    "logits": output_logits,
    "features": head_features,
}
