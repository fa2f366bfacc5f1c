"""Comparison of full-size models with timm's logits, within 1e-5 of the largest.

    KERAS_BACKEND=jax python -m tests.full_size.compare FOLDER --cases "deit_*"

needs keras_cait, but neither torch nor timm: FOLDER holds the files of
`reference_from_timm`. The last line of the standard output is a JSON object.

    python -m tests.full_size.compare FOLDER --write

writes small models for `reference_from_timm --check` instead.
"""
# ruff: noqa: T201 (it reports on stdout)

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

import keras_cait
from tests.full_size.cases import (
    LIMIT,
    WRITTEN,
    WRITTEN_CLASSES,
    WRITTEN_IMAGE,
    Case,
    cases_like,
    command_line,
)
from tests.support.models.tiny_models import images, randomize, to_numpy

FAMILIES = {
    "cait": keras_cait.CaiT,
    "deit_distilled": keras_cait.DeiT,
    "deit3": keras_cait.DeiT3,
    "regnety": keras_cait.RegNetY,
}


def difference(case: Case, folder: Path) -> float:
    """Largest difference of the logits divided by the largest logit."""
    model = keras_cait.create_model(
        case.timm_name,
        weights=None,
        input_shape=(case.height, case.width, 3),
        classifier_activation=None,
    )
    # timm's files do not state the grid of patches, which a rectangle needs.
    grids = [layer.grid_size for layer in model.layers if hasattr(layer, "grid_size")]
    grid_size = grids[0] if grids else None  # RegNetY has no position embedding
    keras_cait.load_weights(model, case.weights(folder), grid_size=grid_size)
    with np.load(case.numbers(folder)) as arrays:
        inputs, expected = arrays["images_nhwc"], arrays["logits"]
    found = to_numpy(model(inputs, training=False))
    if found.shape != expected.shape:  # or they might be broadcast
        raise ValueError(f"Expected {expected.shape}. Received: {found.shape}")
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def compare(cases: list[Case], folder: Path) -> dict[str, float]:
    """Prints and returns the difference of each case."""
    ratios = {}
    for case in cases:
        ratios[case.name] = difference(case, folder)
        print(f"{case.name:40} {ratios[case.name]:.1e}", flush=True)
        keras.backend.clear_session()
    return ratios


def write(folder: Path) -> None:
    """Writes small keras_cait models with random weights, images and their logits."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, sizes in WRITTEN.items():
        settings = {"distilled": True} if name == "deit_distilled" else {}
        model = FAMILIES[name](
            input_shape=(*WRITTEN_IMAGE, 3),
            classes=WRITTEN_CLASSES,
            classifier_activation=None,
            **sizes,
            **settings,
        )
        keras_cait.save_timm_weights(randomize(model), folder / f"{name}.safetensors")
        inputs = images(2, *WRITTEN_IMAGE, 3)
        logits = to_numpy(model(inputs, training=False))
        np.savez(folder / f"{name}.npz", images_nhwc=inputs, logits=logits)


def main() -> int:
    parser = command_line(__doc__ or "")
    parser.add_argument("--write", action="store_true", help="write for --check")
    options = parser.parse_args()
    if options.write:
        write(options.folder)
        return 0
    ratios = compare(cases_like(*options.cases), options.folder)
    backend = keras.backend.backend()
    if backend != "tensorflow" and "tensorflow" in sys.modules:
        raise RuntimeError(f"Expected {backend} alone. Received: TensorFlow beside it")
    print(json.dumps({"backend": backend, "limit": LIMIT, "ratios": ratios}))
    # A NaN is never within the limit.
    return int(not all(ratio <= LIMIT for ratio in ratios.values()))


if __name__ == "__main__":
    sys.exit(main())
