"""Logits of a whole run in one file, written whole, checked, and read batch by batch.

A safetensors file: "logits", float32 `(steps, batch, classes)`; "images", uint8
`(steps, 8)`, a fingerprint of the images of each batch; and in its metadata what the
logits were computed from, as JSON, and the SHA-256 of all that follows the header.
"""

import hashlib
import json
import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from safetensors import SafetensorError, safe_open

from keras_cait.files import replace_when_written
from keras_cait.training.resuming.checkpoints import unwritable_file
from keras_cait.typing import Tensor

LogitsShape = tuple[int, int, int]
"""Steps, images a step, classes."""

_FINGERPRINT = 8  # bytes
_FLOAT = 4  # bytes
_LENGTH = 8  # bytes that say how long the header is


def fingerprint(images: Tensor) -> Tensor:
    """Eight bytes of a batch of images: the same only for the same bits, `(8,)`."""
    return tf.fingerprint(tf.reshape(images, (1, -1)))[0]


@dataclass(frozen=True, kw_only=True)
class LogitsFile:
    """A file that was found whole.

    Attributes:
        path: Where it is.
        about: What the logits were computed from.
        shape: Of the logits.
        start: Bytes before them.
    """

    path: Path
    about: dict[str, Any]
    shape: LogitsShape
    start: int

    def batches(self, first_step: int = 0) -> tf.data.Dataset:
        """Pairs of logits, `(batch, classes)`, and the fingerprint of their images.

        TensorFlow reads them from the disk as they are asked for.
        """
        steps, batch, classes = self.shape
        row = batch * classes * _FLOAT
        images = tf.data.FixedLengthRecordDataset(
            str(self.path),
            _FINGERPRINT,
            header_bytes=self.start + steps * row + first_step * _FINGERPRINT,
        )
        logits = tf.data.FixedLengthRecordDataset(
            str(self.path),
            row,
            header_bytes=self.start + first_step * row,
            footer_bytes=steps * _FINGERPRINT,
        )

        def decode(logits: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
            values = tf.reshape(tf.io.decode_raw(logits, "float32"), (batch, classes))
            return values, tf.ensure_shape(tf.io.decode_raw(images, "uint8"), (8,))

        return tf.data.Dataset.zip(logits, images).map(decode)


def write_logits(
    path: Path,
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    *,
    shape: LogitsShape,
    about: dict[str, Any],
) -> None:
    """Writes a file, which appears when it is complete.

    Args:
        path: Where to write.
        batches: Logits, `(batch, classes)`, and the fingerprint of their images, for
            each step.
        shape: Steps, images a step, classes.
        about: What the logits are computed from, as JSON has it.

    Raises:
        OSError: If the disk has no room for it, or nothing can be written there.
        ValueError: If the batches are of another shape or number.

    """
    bytes_needed = math.prod(shape) * _FLOAT + shape[0] * _FINGERPRINT
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable_file(path, error) from error
    bytes_free = shutil.disk_usage(path.parent).free
    if bytes_needed > bytes_free:
        raise OSError(
            f"The logits of {shape[0]} steps take {bytes_needed / 1e9:.1f} GB. "
            f"Received: {path}, where {bytes_free / 1e9:.1f} GB are free."
        )
    digest, images = hashlib.sha256(), []
    with replace_when_written(path) as temporary, temporary.open("wb") as file:
        file.write(_header(shape, about, digest="0" * 64))
        for logits, image_fingerprint in batches:
            if logits.shape != shape[1:]:
                raise ValueError(
                    f"The logits of a batch must be {shape[1:]}. Received: "
                    f"{logits.shape} in step {len(images)}"
                )
            data = logits.astype("<f4").tobytes()
            digest.update(data)
            file.write(data)
            images.append(image_fingerprint.tobytes())
        if len(images) != shape[0]:
            raise ValueError(
                f"There must be {shape[0]} batches. Received: {len(images)}"
            )
        digest.update(b"".join(images))
        file.write(b"".join(images))
        file.seek(0)
        file.write(_header(shape, about, digest=digest.hexdigest()))


def _header(shape: LogitsShape, about: dict[str, Any], *, digest: str) -> bytes:
    steps = shape[0]
    end = math.prod(shape) * _FLOAT
    content = {
        "__metadata__": {"about": json.dumps(about), "sha256": digest},
        "logits": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]},
        "images": {
            "dtype": "U8",
            "shape": [steps, _FINGERPRINT],
            "data_offsets": [end, end + steps * _FINGERPRINT],
        },
    }
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 8)  # so that the floats lie on multiples of eight
    return len(text).to_bytes(_LENGTH, "little") + text


def open_logits(path: Path) -> LogitsFile:
    """A file that `write_logits` wrote, read through once to see that it is whole.

    Raises:
        ValueError: If it is damaged or of another kind.

    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            about = json.loads(metadata["about"])
            steps, batch, classes = file.get_slice("logits").get_shape()
        with path.open("rb") as file:
            start = _LENGTH + int.from_bytes(file.read(_LENGTH), "little")
            file.seek(start)
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(
            f"Expected a complete file of teacher logits. Received: {path}, {error}. "
            "Remove it, and it is written anew."
        ) from error
    if found != metadata["sha256"]:
        raise ValueError(
            f"The teacher logits in {path} are damaged: their SHA-256 must be "
            f"{metadata['sha256']}. Received: {found}. Remove the file, and it is "
            "written anew."
        )
    return LogitsFile(
        path=path, about=about, shape=(steps, batch, classes), start=start
    )
