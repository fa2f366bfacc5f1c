"""Whether a teacher fits its student, and what its output means."""

from typing import Any

import keras
from keras import ops

from keras_cait.models.outputs import OutputKind, logits_from, output_kind
from keras_cait.typing import Tensor


def check_teacher(
    teacher: keras.Model | None, student: keras.Model, preprocessing: Any
) -> keras.Model:
    """The teacher, if it has the student's classes and takes its images."""
    if teacher is None:
        raise ValueError(
            "`teacher` must be a classifier. Received: teacher=None. "
            'Without one, pass distillation="none".'
        )
    classes = student.output_shape[-1], teacher.output_shape[-1]
    if classes[0] != classes[1]:
        raise ValueError(
            "`student` and `teacher` must have the same classes. Received: a student "
            f"with {classes[0]} and a teacher with {classes[1]}. Build or fine-tune "
            f"the teacher with classes={classes[0]}."
        )
    sizes = tuple(student.input_shape[1:]), tuple(teacher.input_shape[1:])
    fits = all(b in (None, a) for a, b in zip(*sizes, strict=True))
    if preprocessing is None and not fits:
        raise ValueError(
            "The teacher must take the student's images unless "
            "`teacher_preprocessing` maps them. Received: a student of images "
            f"{sizes[0]} and a teacher of images {sizes[1]}. For another size, pass "
            f"teacher_preprocessing=keras.layers.Resizing{sizes[1][:2]}."
        )
    return teacher


def recognise_output(teacher: keras.Model) -> OutputKind:
    """Logits or probabilities, read off the teacher's last layers."""
    kind = output_kind(teacher)
    if kind is None:
        raise ValueError(
            "Could not tell whether the teacher gives logits or probabilities. "
            f"Received: {type(teacher).__name__} {teacher.name!r}, whose last layer "
            'says neither. Pass teacher_output="logits" or '
            'teacher_output="probabilities".'
        )
    return kind


def frozen_logits(teacher: keras.Model, images: Tensor, kind: OutputKind) -> Tensor:
    """What a teacher that learns nothing says, `(batch, classes)` in float32."""
    outputs = ops.cast(teacher(images, training=False), "float32")
    return ops.stop_gradient(logits_from(outputs, kind))
