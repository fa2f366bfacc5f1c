"""Published variant, image size and number of classes of a checkpoint's tensors."""

import math
from dataclasses import dataclass
from pathlib import Path

from keras_cait.typing import Shape
from keras_cait.variants import VARIANTS
from keras_cait.weights.metadata.class_count import HEAD_BIASES
from keras_cait.weights.readers.source_paths import local_path
from keras_cait.weights.tensors.variant_detection import variant_name
from keras_cait.weights.timm.checkpoints import stored_shapes

_PREFIX = {"deit": 1}  # tokens in front of the patches that have a position


@dataclass(frozen=True, kw_only=True)
class DetectedModel:
    """Arguments of the builder that makes the model of a checkpoint."""

    name: str  # of the builder
    input_shape: Shape
    classes: int


def detect_model(source: str | Path) -> DetectedModel:
    """Detects the model of a file with timm's or the official names, or on the hub.

    Raises `ValueError` if the tensors are of no published variant, whose number of
    heads they do not tell, or have no head.
    """
    shapes, grid = stored_shapes(local_path(source))
    name = variant_name(shapes)
    classes = [size for key in HEAD_BIASES for size in shapes.get(key, ())]
    if name is None or len(classes) != 1 or classes[0] is None:
        found = "no head" if name else "sizes of no published variant"
        raise ValueError(
            "Expected a checkpoint of a published variant, with its head. Received: "
            f"{source}, with {found}. For other sizes build the model in Python, and "
            "call keras_cait.load_weights."
        )
    variant = VARIANTS[name]
    size = (variant.image_size, variant.image_size)
    if "pos_embed" in shapes:
        prefix = _PREFIX.get(variant.family, 0) + ("dist_token" in shapes)
        patches = shapes["pos_embed"][1] - prefix
        rows, columns = grid or (math.isqrt(patches),) * 2
        patch = shapes["patch_embed.proj.weight"][-1]
        size = (rows * patch, columns * patch)
    return DetectedModel(name=name, input_shape=(*size, 3), classes=classes[0])
