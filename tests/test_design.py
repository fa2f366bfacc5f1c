"""The design holds: where code lives, how long files are, what is public."""

import inspect
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import pytest

import keras_cait

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("export", "keras_cait", "recipes", "tests")
LONGEST = 300  # lines a file
LAYERS = [getattr(keras_cait.layers, name) for name in keras_cait.layers.__all__]

WITHOUT_TENSORFLOW = """
    import sys

    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "tensorflow":
                raise ImportError(f"{name} is refused here")

    sys.meta_path.insert(0, Refuse())

    import numpy as np
    import keras
    import keras_cait

    assert keras.backend.backend() == "jax"
    model = keras_cait.DeiT(
        input_shape=(32, 32, 3), patch_size=8, embed_dim=32, depth=1, num_heads=4,
        classes=10,
    )
    print(model(np.zeros((2, 32, 32, 3), "float32")).shape)
    assert "tensorflow" not in sys.modules
"""


def python_files():
    """Every Python file of the tree but those of environments and builds."""
    skipped = {"build", "dist"}
    for path in sorted(ROOT.iterdir()):
        if path.is_dir() and path.name not in skipped and path.name[0] != ".":
            yield from sorted(path.rglob("*.py"))
        elif path.suffix == ".py":
            yield path


def lines(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def public_objects(module):
    return [(name, getattr(module, name)) for name in module.__all__]


def test_no_file_is_long():
    long = {
        str(path.relative_to(ROOT)): lines(path)
        for path in python_files()
        if lines(path) > LONGEST
    }
    assert long == {}


def test_python_lives_in_four_folders():
    folders = {path.relative_to(ROOT).parts[0] for path in python_files()}
    assert folders <= set(FOLDERS)


@pytest.mark.parametrize("module", [keras_cait, keras_cait.layers])
def test_public_names_are_sorted_and_documented(module):
    assert module.__all__ == sorted(module.__all__)
    undocumented = [name for name, it in public_objects(module) if not it.__doc__]
    assert undocumented == []


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_are_registered(layer):
    assert keras.saving.get_registered_name(layer) == f"keras_cait>{layer.__name__}"


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_have_one_anatomy(layer):
    assert issubclass(layer, keras.layers.Layer)
    ours = [base for base in layer.__mro__ if base.__module__.startswith("keras_cait")]
    methods = {name for base in ours for name in vars(base)}
    assert methods >= {"call", "compute_output_shape"}
    doc = inspect.getdoc(layer) or ""
    sections = ("Input shape:", "Output shape:", "Example:", "Reference:")
    assert [section for section in sections if section not in doc] == []


def test_works_without_tensorflow(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WITHOUT_TENSORFLOW)],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": str(ROOT),
            "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiles sooner
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(2, 10)"
