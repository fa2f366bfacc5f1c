"""What a teacher says of every batch of a run, computed once and kept on disk."""

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
from keras_cait.training.settings.configuration import differences, to_json
from keras_cait.training.teachers.logits_file import (
    LogitsFile,
    LogitsShape,
    fingerprint,
    open_logits,
    write_logits,
)
from keras_cait.training.teachers.teacher import Teacher
from keras_cait.typing import Tensor

# How far a teacher's logits may be from the file's, as a part of the largest one: the
# same sums come out a little differently on another device.
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

    The first run writes the file: it goes through all batches once, with the
    teacher only. The next ones, such as other students of the same teacher and
    seed, read it, and `Distiller` trains them without a pass through the teacher.
    Random views and mixing are no hindrance where they follow from seed, epoch and
    place, as those of `training_batches` do: what the teacher saw is checked batch
    by batch.

    The file takes 4 bytes a class for each image of each epoch: 200 MB for 100
    epochs of 50,000 images of 10 classes, but 5 GB for one epoch of ImageNet.

    Args:
        batches: All batches of the run: images, labels, and perhaps weights, in
            batches of one size, and as many as they say.
        teacher: From `make_teacher`, trained.
        path: The file; should end in ".safetensors".
        key: What the batches are made of: the data and the settings, as the run's
            configuration has them. A file of another key is refused.
        first_step: Steps that are left out of `batches` at the start, for a run
            that goes on; the file is there then.
        on_step: Called with the steps done and their number while the file is
            written.

    Returns:
        The batches with {"labels": labels, "teacher_logits": logits} in place of
        the labels, the logits `(batch, classes)` float32.

    Raises:
        FileNotFoundError: If a run that goes on finds no file.
        ValueError: If the file is of another teacher, other settings or other
            images, or damaged; or if the number or the size of the batches is not
            known.
        OSError: If the disk has no room for the file.
        tf.errors.InvalidArgumentError: In training, if a later batch has other
            images than the teacher saw.

    Example:
        >>> import os, tempfile
        >>> from keras_cait.training.teachers.teacher import make_teacher
        >>> teacher = make_teacher("convnet", (8, 8, 1), 3, widths=(4,))
        >>> images, labels = np.zeros((6, 8, 8, 1), "float32"), np.arange(6) % 3
        >>> batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(
        ...     2, drop_remainder=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "logits.safetensors")
        ...     cached = cached_teacher_logits(batches, teacher, path, key={"seed": 0})
        ...     _, targets = next(iter(cached))
        >>> {name: tuple(values.shape) for name, values in targets.items()}
        {'labels': (2,), 'teacher_logits': (2, 3)}

    """
    path = Path(path)
    shape = _shape_of(batches, teacher.model, first_step)
    about = _about(batches, teacher, key)
    ask = _asked(teacher)
    if not path.exists():
        if first_step:
            raise FileNotFoundError(
                f"No teacher logits at {path}. A run that goes on at step {first_step} "
                "needs those that it began with."
            )
        answers = _answers(batches, ask, shape[0], on_step)
        write_logits(path, answers, shape=shape, about=about)
    file = open_logits(path)
    _check_same(file, about, shape)
    _check_first_step(file, batches, ask, first_step)
    pairs = tf.data.Dataset.zip(batches, file.batches(first_step))
    remaining = tf.data.experimental.assert_cardinality(shape[0] - first_step)
    message = f"The images of a batch are not those that the teacher saw for {path}."
    joined = pairs.map(
        lambda batch, answer: _join(batch, *answer, message),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return joined.apply(remaining).prefetch(tf.data.AUTOTUNE)


def _shape_of(
    batches: tf.data.Dataset, model: keras.Model, first_step: int
) -> LogitsShape:
    steps = int(batches.cardinality())
    images = _image_spec(batches)
    batch = images.shape[0]
    if steps < 1 or batch is None:
        raise ValueError(
            "Teacher logits are kept for batches of one size and of known number, as "
            f"training_batches(...) gives them. Received: {images} with cardinality "
            f"{steps}."
        )
    return first_step + steps, batch, model.output_shape[-1]


def _about(
    batches: tf.data.Dataset, teacher: Teacher, key: Mapping[str, Any]
) -> dict[str, Any]:
    """What decides the logits."""
    digest = hashlib.sha256()
    for weight in teacher.model.weights:
        value = keras.ops.convert_to_numpy(weight.value)
        digest.update(f"{value.shape}{value.dtype}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    about = {
        "key": dict(key),
        "image_shape": list(_image_spec(batches).shape[1:]),
        "teacher_weights": digest.hexdigest(),
    }
    return json.loads(to_json(about))


def _image_spec(batches: tf.data.Dataset) -> Any:
    spec: Any = batches.element_spec
    return spec[0]


def _asked(teacher: Teacher) -> Callable[[Tensor], np.ndarray]:
    """A batch of images to the teacher's logits, as `Distiller` takes them."""
    kind = teacher_output_kind(teacher.model)

    def says(images: Tensor) -> Tensor:
        if teacher.preprocessing is not None:
            images = teacher.preprocessing(images)
        return inference_logits(teacher.model, images, kind)

    if keras.backend.backend() == "tensorflow":
        graph = tf.function(says, autograph=False)
        return lambda images: graph(images).numpy()
    return lambda images: keras.ops.convert_to_numpy(says(images.numpy()))


def _answers(
    batches: tf.data.Dataset,
    ask: Callable[[Tensor], np.ndarray],
    steps: int,
    on_step: Callable[[int, int], None] | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The teacher's logits and the fingerprint of its images, step by step."""
    for step, (images, *_) in enumerate(batches, start=1):
        yield ask(images), fingerprint(images).numpy()
        if on_step is not None:
            on_step(step, steps)


def _check_same(file: LogitsFile, about: dict[str, Any], shape: LogitsShape) -> None:
    """Refuses logits of another run, and says in what it differs."""
    names = ("steps", "batch_size", "classes")
    expected = about | dict(zip(names, shape, strict=True))
    found = file.about | dict(zip(names, file.shape, strict=True))
    differ = differences(found, expected)
    if differ:
        listing = "\n  ".join(differ)
        raise ValueError(
            f"The teacher logits in {file.path} are of another run:\n  {listing}\n"
            "Give another path, or remove the file, and it is written anew."
        )


def _check_first_step(
    file: LogitsFile,
    batches: tf.data.Dataset,
    ask: Callable[[Tensor], np.ndarray],
    first_step: int,
) -> None:
    """Refuses logits that are not of these images, or not of this teacher.

    Neither shows in `about` where `key` leaves something out, or where two teachers
    of the same weights prepare their images in different ways.
    """
    images, *_ = next(iter(batches.take(1)))
    expected, seen = next(iter(file.batches(first_step).take(1)))
    if not np.array_equal(fingerprint(images), seen):
        raise ValueError(
            "The images must be those that the teacher saw. Received: others than "
            f"those of {file.path} in step {first_step}, though all that `key` holds "
            "is the same. What makes them is not deterministic, or not all in `key`."
        )
    largest = float(np.max(np.abs(expected)))
    apart = float(np.max(np.abs(ask(images) - expected)))
    if apart > _TOLERANCE * largest:
        raise ValueError(
            f"The teacher must say what {file.path} holds. Received: logits that are "
            f"off by {apart:.3g} in step {first_step}, where the largest is "
            f"{largest:.3g}. It has the same weights, but takes its images in another "
            "way or computes in another precision."
        )


def _join(batch: Any, logits: Tensor, seen: Tensor, message: str) -> tuple[Any, ...]:
    images, labels, *rest = batch
    same = tf.debugging.Assert(tf.reduce_all(fingerprint(images) == seen), [message])
    with tf.control_dependencies([same]):
        logits = tf.identity(logits)
    return images, {LABELS: labels, TEACHER_LOGITS: logits}, *rest
