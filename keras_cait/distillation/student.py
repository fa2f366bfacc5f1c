"""Checks of a student, and the dtype policy of its training."""

from typing import Any

import keras


def check_student(student: keras.Model) -> None:
    """Raises `ValueError` unless a student has one output."""
    shapes = [tuple(output.shape) for output in student.outputs]
    if len(shapes) != 1:
        raise ValueError(
            "`student` must have one output, (batch, classes). Received: "
            f"{student.name!r}, which gives {shapes}. Instead of a model made by "
            "separate_heads, pass the model that it was made from: both of its heads "
            "are trained."
        )


def training_policy(student: keras.Model) -> Any:
    """The dtype policy by which Keras decides whether to scale the loss.

    It follows from the layers: a loaded model itself has the global policy of that
    moment, whatever its layers compute in.
    """
    for layer in student._flatten_layers():
        if (layer.compute_dtype, layer.variable_dtype) == ("float16", "float32"):
            return "mixed_float16"
    return student.dtype_policy
