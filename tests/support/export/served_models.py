"""A SavedModel that is exported once for all tests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from filelock import FileLock

from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.export.to_saved_model import to_saved_model
from tests.support.models.tiny_models import randomize, tiny_deit

LABELS = tuple(f"class {index}" for index in range(10))
VIEW = EvaluationTransform(image_size=(32, 48), crop_pct=1.0, channels=3)


def distilled_deit():
    """A model with two heads and images that are not square."""
    model = tiny_deit(
        input_shape=(32, 48, 3), depth=1, distilled=True, include_preprocessing=True
    )
    return randomize(model)


@dataclass(kw_only=True)
class Served:
    """An exported model, as loaded by TensorFlow.

    Attributes:
        path: The folder of its version.
        signatures: Its signatures.
    """

    path: Path
    signatures: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> "Served":
        return cls(path=path, signatures=tf.saved_model.load(str(path)).signatures)

    def top_classes(self, *files: bytes) -> dict[str, np.ndarray]:
        """Outputs of `serving_default` for files."""
        answer = self.signatures["serving_default"](images=tf.constant(files, "string"))
        return {name: value.numpy() for name, value in answer.items()}

    def outputs(self, signature: str, images: Any) -> dict[str, np.ndarray]:
        """Outputs of another signature for images."""
        answer = self.signatures[signature](images=tf.constant(images, "float32"))
        return {name: value.numpy() for name, value in answer.items()}


def exported(base: Path) -> Served:
    """The model of all tests; the first process exports it."""
    path = base / "served" / "1"
    with FileLock(base / "served.lock"):
        if not path.exists():
            to_saved_model(
                distilled_deit(), path.parent, labels=LABELS, top=len(LABELS)
            )
    return Served.load(path)
