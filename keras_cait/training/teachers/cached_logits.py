"""Teacher logits of every batch of a run, computed once and cached on disk."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_cait.distillation.batch_labels import LABELS, TEACHER_LOGITS
from keras_cait.distillation.student_and_teacher import (
    inference_logits,
    teacher_output_kind,
)
from keras_cait.training.settings.serialization import differences, to_json
from keras_cait.training.teachers.logits_file import (
    LogitsFile,
    LogitsShape,
    fingerprint,
    open_logits,
    write_logits,
)
from keras_cait.training.teachers.teacher import Teacher
from keras_cait.typing import Tensor

# Largest difference of a teacher's logits from the cached ones, relative to the largest
# logit: the same sums are rounded differently on another device.
_TOLERANCE = 1e-2


def cached_teacher_logits(
    batches: tf.data.Dataset,
    teacher: Teacher,
    path: str | Path,
    *,
    key: Mapping[str, Any],
    first_step: int = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> tf.data.Dataset:
    """Adds the teacher's logits to the batches of a run, from a file.

    The first run writes the file: it passes all batches through the teacher once, and
    calls `on_step` with the steps done and their number. Later runs, such as other
    students of the same teacher and seed, read it, and `Distiller` trains them without
    the teacher. The labels become {"labels": labels, "teacher_logits": logits}, the
    logits `(batch, classes)` float32.

    Random augmentation and mixing are allowed if they depend on seed, epoch and
    position only, as those of `training_batches` do: a fingerprint of the images is
    checked batch by batch. `key` holds the data and settings that decide the batches. A
    resumed run leaves out `first_step` batches, and needs the file.

    The file takes 4 bytes a class for each image of each epoch: 200 MB for 100
    epochs of 50,000 images of 10 classes, but 5 GB for one epoch of ImageNet.
    """
    path = Path(path)
    shape = _logits_shape(batches, teacher.model, first_step)
    origin = _origin(batches, teacher, key)
    compute_logits = _logits_function(teacher)
    if not path.exists():
        if first_step:
            raise FileNotFoundError(
                f"No teacher logits at {path}. A run that is resumed at step "
                f"{first_step} needs those that it began with."
            )
        computed = _computed_logits(batches, compute_logits, shape[0], on_step)
        write_logits(path, computed, shape=shape, origin=origin)
    file = open_logits(path)
    _check_same_origin(file, origin, shape)
    _check_first_batch(file, batches, compute_logits, first_step)
    message = f"The images of a batch are not those that the teacher had for {path}."

    def join(batch: Any, cached: tuple[Tensor, Tensor]) -> tuple[Any, ...]:
        images, labels, *rest = batch
        logits, expected = cached
        is_same = tf.reduce_all(fingerprint(images) == expected)
        with tf.control_dependencies([tf.debugging.Assert(is_same, [message])]):
            logits = tf.identity(logits)
        return images, {LABELS: labels, TEACHER_LOGITS: logits}, *rest

    pairs = tf.data.Dataset.zip(batches, file.batches(first_step))
    joined = pairs.map(join, num_parallel_calls=tf.data.AUTOTUNE)
    remaining = tf.data.experimental.assert_cardinality(shape[0] - first_step)
    return joined.apply(remaining).prefetch(tf.data.AUTOTUNE)


def _logits_shape(
    batches: tf.data.Dataset, model: keras.Model, first_step: int
) -> LogitsShape:
    steps = int(batches.cardinality())
    images = _image_spec(batches)
    batch = images.shape[0]
    if steps < 1 or batch is None:
        raise ValueError(
            "Teacher logits are cached for batches of one size and of known number, as "
            f"training_batches(...) returns them. Received: {images} with cardinality "
            f"{steps}."
        )
    return first_step + steps, batch, model.output_shape[-1]


def _origin(
    batches: tf.data.Dataset, teacher: Teacher, key: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that decides the logits, as JSON has it."""
    digest = hashlib.sha256()
    for weight in teacher.model.weights:
        value = keras.ops.convert_to_numpy(weight.value)
        digest.update(f"{value.shape}{value.dtype}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    origin = {
        "key": dict(key),
        "image_shape": list(_image_spec(batches).shape[1:]),
        "teacher_weights": digest.hexdigest(),
    }
    return json.loads(to_json(origin))


def _image_spec(batches: tf.data.Dataset) -> Any:
    spec: Any = batches.element_spec
    return spec[0]


def _logits_function(teacher: Teacher) -> Callable[[Tensor], np.ndarray]:
    """A function from a batch of images to the logits that `Distiller` would use."""
    kind = teacher_output_kind(teacher.model)

    def logits_of(images: Tensor) -> Tensor:
        if teacher.preprocessing is not None:
            images = teacher.preprocessing(images)
        return inference_logits(teacher.model, images, kind)

    if keras.backend.backend() == "tensorflow":
        graph = tf.function(logits_of, autograph=False)
        return lambda images: graph(images).numpy()
    return lambda images: keras.ops.convert_to_numpy(logits_of(images.numpy()))


def _computed_logits(
    batches: tf.data.Dataset,
    compute_logits: Callable[[Tensor], np.ndarray],
    steps: int,
    on_step: Callable[[int, int], None] | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The logits and the fingerprint of the images, step by step."""
    for step, (images, *_) in enumerate(batches, start=1):
        yield compute_logits(images), fingerprint(images).numpy()
        if on_step is not None:
            on_step(step, steps)


def _check_same_origin(
    file: LogitsFile, origin: dict[str, Any], shape: LogitsShape
) -> None:
    """Refuses logits of another run; the message lists the differences."""
    names = ("steps", "batch_size", "classes")
    expected = origin | dict(zip(names, shape, strict=True))
    found = file.origin | dict(zip(names, file.logits.shape, strict=True))
    if different := differences(found, expected):
        listing = "\n  ".join(different)
        raise ValueError(
            f"The teacher logits in {file.path} are of another run:\n  {listing}\n"
            "Give another path, or remove the file, and it is written anew."
        )


def _check_first_batch(
    file: LogitsFile,
    batches: tf.data.Dataset,
    compute_logits: Callable[[Tensor], np.ndarray],
    first_step: int,
) -> None:
    """Refuses logits of other images or of another teacher.

    The origin is the same if `key` is incomplete, or if two teachers of the same
    weights prepare their images in different ways.
    """
    images, *_ = next(iter(batches.take(1)))
    if not np.array_equal(fingerprint(images), file.fingerprints[first_step]):
        raise ValueError(
            "The images must be those that the teacher had. Received: others than "
            f"those of {file.path} in step {first_step}, though `key` is the same. "
            "Their source is not deterministic, or `key` is incomplete."
        )
    expected = file.logits[first_step]
    largest = float(np.max(np.abs(expected)))
    difference = float(np.max(np.abs(compute_logits(images) - expected)))
    if difference > _TOLERANCE * largest:
        raise ValueError(
            f"The teacher's logits must be those in {file.path}. Received: logits that "
            f"differ by {difference:.3g} in step {first_step}, where the largest is "
            f"{largest:.3g}. The teacher has the same weights, but prepares its images "
            "in another way or computes in another precision."
        )
