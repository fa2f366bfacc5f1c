"""The design holds: where code lives, which way imports go, how long files are."""

import ast
import inspect
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter, defaultdict

import keras
import pytest

import keras_cait
from tests.support.source_tree import (
    FOLDERS,
    ROOT,
    circle,
    identifiers,
    imports,
    parsed,
    python_files,
)

LONGEST_FILE = 300  # lines
LONGEST_README = 150  # lines
MOST_FILES = 12  # a folder, beside __init__.py
LAYERS = [getattr(keras_cait.layers, name) for name in keras_cait.layers.__all__]

PUBLIC_NAMES = "keras_cait.public_names"  # hands names on, as an __init__.py does

# A floor imports what stands below it, never what stands above or beside it.
FLOORS = (  # other files beside the folders stand on the ground floor
    {"command_line"},
    {"terminal"},
    {"preprocessing"},
    {"variants"},
    {"layers"},
    {"weights"},
    {"models", "data"},
    {"distillation", "export", "visualization"},
    {"training"},
    {"benchmarking"},
    {"cli"},
)
UK_SPELLING = re.compile(
    "colour|labell|normalis|recognis|optimis|initialis|randomis|quantis|regularis"
    "|visualis|serialis|summaris|centre|grey|behaviour|favour|neighbour|artefact"
    "|analyse|catalogue|licence",
    re.IGNORECASE,
)
QUESTION_WORDS = re.compile(r"(What|Where|How|Which|Whether|Who|When|Why)\b")

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

# Keras and TensorFlow come first: what they change is theirs.
IMPORTS_EVERYTHING = """
    import importlib, json, os, pkgutil, signal, sys, warnings
    import keras, tensorflow

    def state():
        return {
            "environment": dict(os.environ),
            "arguments": [sys.argv, sys.orig_argv],
            "descriptors": [os.readlink(f"/proc/self/fd/{n}") for n in range(3)],
            "hooks": [repr(x) for x in (
                sys.excepthook, sys.unraisablehook, sys.stdout, sys.stderr)],
            "signals": [repr(signal.getsignal(n)) for n in (2, 15)],
            "path": sys.path,
            "folder": os.getcwd(),
            "policy": keras.config.dtype_policy().name,
        }

    before = json.dumps(state())
    import keras_cait
    packages = pkgutil.walk_packages(keras_cait.__path__, "keras_cait.")
    names = [package.name for package in packages]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    after = json.dumps(state())
    assert before == after, f"{before}\\n{after}"
    print(len(names))
"""


def in_child(script, folder, **environment):
    """The standard output of a Python process that must end well."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def lines(path):
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def test_no_file_is_longer_than_300_lines():
    sizes = {str(path): lines(path) for path in python_files()}
    assert {path: size for path, size in sizes.items() if size > LONGEST_FILE} == {}


def test_no_folder_holds_more_than_twelve_files():
    files = [path for path in python_files() if path.name != "__init__.py"]
    sizes = Counter(str(path.parent) for path in files)
    assert {folder: size for folder, size in sizes.items() if size > MOST_FILES} == {}


def test_the_readme_is_at_most_150_lines_long():
    assert lines("README.md") <= LONGEST_README


def test_python_lives_in_four_folders():
    found = {
        path.relative_to(ROOT).parts[0]
        for folder in ROOT.iterdir()
        if folder.is_dir() and folder.name[0] != "." and folder.name not in OUTPUTS
        for path in folder.rglob("*.py")
    }
    files = {path.name for path in ROOT.glob("*.py")}
    assert found | files == {*FOLDERS, "keras_cait_command.py"}


OUTPUTS = {"build", "dist"}


def test_the_page_on_test_helpers_lists_every_one():
    page = (ROOT / "tests/support/README.md").read_text()
    helpers = [path for path in python_files() if path.parts[:2] == SUPPORT]
    names = [path.relative_to("tests/support").as_posix() for path in helpers]
    assert [name for name in names if f"`{name}`" not in page] == []
    listed = re.findall(r"`([\w/]+\.py)`", page)
    missing = [name for name in listed if not (ROOT / "tests/support" / name).is_file()]
    assert [name for name in missing if name != "tests/conftest.py"] == []


SUPPORT = ("tests", "support")


def test_no_two_files_import_each_other():
    assert circle(imports()) == []


def test_no_two_folders_import_each_other():
    # An __init__.py hands on the names of the files below it.
    graph = defaultdict(set)
    packages = {name for name in imports() if any(_below(name, imports()))}
    for module, imported in imports().items():
        if module in packages or module == PUBLIC_NAMES:
            continue
        folder = module.rpartition(".")[0]
        graph[folder] |= {
            name if name in packages else name.rpartition(".")[0] for name in imported
        } - {folder}
    for folder in list(graph):
        for other in graph[folder]:
            graph.setdefault(other, set())
    assert circle(graph) == []


def _below(package, modules):
    return (name for name in modules if name.startswith(f"{package}."))


def test_imports_go_from_upper_floors_to_lower_ones():
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    wrong = []
    for module, imported in imports().items():
        if module == PUBLIC_NAMES:
            continue
        own = module.split(".")[1:2]
        for name in imported:
            other = name.split(".")[1:2]
            if not own or not other or own == other:
                continue
            if floor.get(other[0], -1) >= floor.get(own[0], -1):
                wrong.append(f"{module} -> {name}")
    assert wrong == []


def test_public_names_need_no_export():
    everything, found = imports(), {"keras_cait"}
    while new := set().union(*(everything[name] for name in found)) - found:
        found |= new
    assert [name for name in found if name.startswith("keras_cait.export")] == []


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc here")
def test_importing_changes_nothing_in_the_process(tmp_path):
    assert int(in_child(IMPORTS_EVERYTHING, tmp_path).splitlines()[-1]) > 200


def test_works_without_tensorflow(tmp_path):
    options = {"KERAS_BACKEND": "jax"}
    options["XLA_FLAGS"] = "--xla_backend_optimization_level=0"  # compiles sooner
    assert in_child(WITHOUT_TENSORFLOW, tmp_path, **options) == "(2, 10)"


def test_every_module_has_a_docstring_that_opens_with_a_noun_or_verb():
    opening = {str(x): ast.get_docstring(parsed(x)) or "" for x in python_files()}
    missing = [path for path, text in opening.items() if not text]
    assert [path for path in missing if not path.startswith("tests/")] == []
    asking = {path: x for path, x in opening.items() if QUESTION_WORDS.match(x)}
    assert asking == {}


def test_identifiers_are_spelled_as_in_the_us():
    wrong = {
        str(path): found
        for path in python_files()
        if (found := {name for name in identifiers(path) if UK_SPELLING.search(name)})
    }
    assert wrong == {}


@pytest.mark.parametrize("module", [keras_cait, keras_cait.layers])
def test_public_names_are_sorted_and_documented(module):
    assert module.__all__ == sorted(module.__all__)
    public = {name: getattr(module, name) for name in module.__all__}
    assert [name for name, it in public.items() if not it.__doc__] == []


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
