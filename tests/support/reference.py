"""Reference numbers of tests/parity, which its README.md describes."""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parents[1] / "parity"
TIMM_NAMES = sorted(path.stem for path in (FOLDER / "manifests").glob("*.json"))


def manifest(timm_name):
    """Facts about one released checkpoint, as a dictionary."""
    return json.loads((FOLDER / "manifests" / f"{timm_name}.json").read_text())


def numbers(name):
    """All arrays of one `.npz` file, by name; for example `numbers("tiny/deit")`."""
    with np.load(FOLDER / f"{name}.npz") as arrays:
        return dict(arrays)


def weights(name):
    """Path of one safetensors file; for example `weights("tiny/deit")`."""
    return FOLDER / f"{name}.safetensors"
