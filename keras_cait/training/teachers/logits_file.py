"""Teacher logits of a whole run on disk: an `.npy` file and a JSON file beside it.

`logits.npy` holds float32 logits, `(steps, batch, classes)`. `logits.npy.json` holds
what they were computed from, a fingerprint of the images of each batch, and the SHA-256
of the `.npy` file, which appears last: where it is, both are complete.
"""

import hashlib
import io
import json
import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_cait.files import replace_when_written
from keras_cait.training.resuming.checkpoints import unwritable_file
from keras_cait.typing import Tensor

LogitsShape = tuple[int, int, int]
"""Steps, images a step, classes."""

_FLOAT = np.dtype("<f4")


def fingerprint(images: Tensor) -> Tensor:
    """Eight bytes of a batch of images: the same only for the same bits, `(8,)`."""
    return tf.fingerprint(tf.reshape(images, (1, -1)))[0]


@dataclass(frozen=True, kw_only=True)
class LogitsFile:
    """Complete logits on disk, and their origin."""

    path: Path  # of the .npy file
    origin: dict[str, Any]  # all that the logits were computed from
    logits: np.memmap  # (steps, batch, classes)
    fingerprints: np.ndarray  # of the images of each batch, (steps, 8) uint8

    def batches(self, first_step: int = 0) -> tf.data.Dataset:
        """Pairs of logits, `(batch, classes)`, and the fingerprint of their images.

        TensorFlow reads the logits from the disk batch by batch.
        """
        _, batch, classes = self.logits.shape
        row = batch * classes * _FLOAT.itemsize
        start = self.logits.offset + first_step * row
        rows = tf.data.FixedLengthRecordDataset(str(self.path), row, header_bytes=start)
        logits = rows.map(
            lambda row: tf.reshape(tf.io.decode_raw(row, "float32"), (batch, classes))
        )
        fingerprints = self.fingerprints[first_step:]
        return tf.data.Dataset.zip(
            logits, tf.data.Dataset.from_tensor_slices(fingerprints)
        )


def write_logits(
    path: Path,
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    *,
    shape: LogitsShape,
    origin: dict[str, Any],
) -> None:
    """Writes both files from the logits and fingerprint of each step.

    The `.npy` file appears when both are complete.
    """
    bytes_needed = math.prod(shape) * _FLOAT.itemsize
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
    fingerprints = []
    digest = hashlib.sha256()
    header = io.BytesIO()
    layout = {"descr": _FLOAT.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, layout)
    with replace_when_written(path) as temporary:
        # Not through a memory map: on a full disk that ends the process (SIGBUS).
        with temporary.open("wb") as file:
            file.write(header.getvalue())
            digest.update(header.getvalue())
            for logits, image_fingerprint in batches:
                if logits.shape != shape[1:]:
                    raise ValueError(
                        f"The logits of a batch must be {shape[1:]}. Received: "
                        f"{logits.shape} in step {len(fingerprints)}"
                    )
                content = logits.astype(_FLOAT).tobytes()
                file.write(content)
                digest.update(content)
                fingerprints.append(image_fingerprint.tobytes().hex())
        if len(fingerprints) != shape[0]:
            raise ValueError(
                f"There must be {shape[0]} batches. Received: {len(fingerprints)}"
            )
        about = {
            "origin": origin,
            "sha256": digest.hexdigest(),
            "fingerprints": fingerprints,
        }
        with replace_when_written(_json_of(path)) as temporary_json:
            temporary_json.write_text(json.dumps(about), encoding="utf-8")


def open_logits(path: Path) -> LogitsFile:
    """Opens the files of `write_logits`; raises `ValueError` if they are damaged."""
    try:
        about = json.loads(_json_of(path).read_text(encoding="utf-8"))
        origin, expected = about["origin"], about["sha256"]
        fingerprints = bytes.fromhex("".join(about["fingerprints"]))
        logits = np.lib.format.open_memmap(path, mode="r")
        steps, _, _ = logits.shape
        fingerprints = np.frombuffer(fingerprints, np.uint8).reshape((steps, 8))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            "Expected teacher logits, an .npy file with its .json file beside it. "
            f"Received: {path}, {error}. Remove it, and it is written anew."
        ) from error
    found = _sha256(path)
    if found != expected:
        raise ValueError(
            f"The teacher logits in {path} are damaged: their SHA-256 must be "
            f"{expected}. Received: {found}. Remove the file, and it is written anew."
        )
    return LogitsFile(
        path=path, origin=origin, logits=logits, fingerprints=fingerprints
    )


def _json_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
