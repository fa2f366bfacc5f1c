"""Checks of student and teacher, and the teacher's logits."""

from typing import Any

import keras
from keras import ops

from keras_cait.models.logits import OutputKind, logits_from, output_kind
from keras_cait.typing import Tensor


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
    moment, which its layers need not have.
    """
    for layer in student._flatten_layers():
        if (layer.compute_dtype, layer.variable_dtype) == ("float16", "float32"):
            return "mixed_float16"
    return student.dtype_policy


def check_teacher(
    teacher: keras.Model | None, student: keras.Model, preprocessing: Any
) -> keras.Model:
    """The teacher; raises `ValueError` unless it fits the student's images and classes.

    A subclassed teacher is built.
    """
    if teacher is None:
        raise ValueError(
            "`teacher` must be a classifier. Received: teacher=None. "
            'Without one, pass distillation="none".'
        )
    if hasattr(teacher, "outputs"):
        _check_sizes(teacher, student, preprocessing)
        is_sequential = isinstance(teacher, keras.Sequential)
        outputs = teacher.outputs if is_sequential else teacher.output
    else:
        outputs = _symbolic_outputs(teacher, student, preprocessing)
    shapes = [tuple(output.shape) for output in keras.tree.flatten(outputs)]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        found = keras.tree.map_structure(lambda output: tuple(output.shape), outputs)
        raise ValueError(
            "`teacher` must give one output, (batch, classes). Received: "
            f"{type(teacher).__name__} {teacher.name!r}, which gives {found}. Pass a "
            "model of the output to learn from, as keras.Model(teacher.inputs, "
            "teacher.outputs[0]); for a model made by separate_heads, the model that "
            "it was made from, whose output is the mean of its heads."
        )
    classes = student.outputs[0].shape[-1], shapes[0][-1]
    if classes[0] != classes[1]:
        raise ValueError(
            "`student` and `teacher` must have the same classes. Received: a student "
            f"with {classes[0]} and a teacher with {classes[1]}. Build or fine-tune "
            f"the teacher with classes={classes[0]}."
        )
    return teacher


def _check_sizes(
    teacher: keras.Model, student: keras.Model, preprocessing: Any
) -> None:
    sizes = [
        [tuple(images.shape[1:]) for images in model.inputs]
        for model in (student, teacher)
    ]
    fits = [len(size) for size in sizes[0]] == [len(size) for size in sizes[1]] and all(
        b in (None, a)
        for one, other in zip(*sizes, strict=True)
        for a, b in zip(one, other, strict=True)
    )
    if preprocessing is None and not fits:
        own, other = (size[0] if len(size) == 1 else size for size in sizes)
        raise ValueError(
            "The teacher must take the student's images unless "
            "`teacher_preprocessing` maps them. Received: a student of images "
            f"{own} and a teacher of images {other}. For another size, pass "
            f"teacher_preprocessing=keras.layers.Resizing{other[:2]}."
        )


def _symbolic_outputs(
    teacher: keras.Model, student: keras.Model, preprocessing: Any
) -> Any:
    """Outputs of a subclassed teacher, which has no graph, for symbolic images."""
    images: Any = [keras.KerasTensor(x.shape, x.dtype) for x in student.inputs]
    images = images[0] if len(images) == 1 else images
    if preprocessing is not None and not isinstance(preprocessing, keras.Layer):
        preprocessing = keras.layers.Lambda(preprocessing)
    try:
        images = images if preprocessing is None else preprocessing(images)
        return teacher(images, training=False)
    except (
        AttributeError,
        NotImplementedError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(
            "`teacher` must take the student's images, after `teacher_preprocessing`, "
            f"and give (batch, classes). Received: {type(teacher).__name__} "
            f"{teacher.name!r}, which failed on {images}: {error}"
        ) from error


def teacher_output_kind(teacher: keras.Model) -> OutputKind:
    """Logits or probabilities, as the teacher's last layers show."""
    kind = output_kind(teacher)
    if kind is None:
        raise ValueError(
            "The teacher's output must be recognizable as logits or probabilities. "
            f"Received: {type(teacher).__name__} {teacher.name!r}, whose last layer "
            'shows neither. Pass teacher_output="logits" or '
            'teacher_output="probabilities".'
        )
    return kind


def inference_logits(teacher: keras.Model, images: Tensor, kind: OutputKind) -> Tensor:
    """Logits of a teacher that is not trained, `(batch, classes)` in float32."""
    (outputs,) = keras.tree.flatten(teacher(images, training=False))
    outputs = ops.cast(outputs, "float32")
    return ops.stop_gradient(logits_from(outputs, kind))
