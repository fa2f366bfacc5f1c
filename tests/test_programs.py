"""Programs print their help at once: with their docstring, before Keras is imported."""

import ast

import pytest

import keras_cait
from tests.support.command import COMMAND, run_python
from tests.support.source_tree import ROOT, parsed, python_files

HEAVY = {"keras", "tensorflow", "numpy", "jax", "torch", "matplotlib"}
FOLDERS = ("recipes", "export")
STARTED_BY_OTHERS = {"recipes/benchmarks/data_timm.py", "recipes/benchmarks/peers.py"}
PROGRAMS = [
    path
    for path in python_files()
    if path.as_posix().startswith(FOLDERS)
    and "__main__" in (ROOT / path).read_text(encoding="utf-8")
    and path.as_posix() not in STARTED_BY_OTHERS
]


def printed_by(*command):
    """The output of a Python process that imports nothing heavy."""
    done = run_python("-X", "importtime", *command, cwd=ROOT, COLUMNS="100")
    lines = done.stderr.splitlines()
    others = [line for line in lines if not line.startswith("import time:")]
    assert (done.returncode, others) == (0, [])
    imported = {line.rpartition("|")[2].strip() for line in lines}
    assert imported & HEAVY == set()
    return done.stdout


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_help_has_the_docstring_of_a_program(program):
    printed = [line.strip() for line in printed_by(program, "--help").splitlines()]
    docstring = ast.get_docstring(parsed(program)) or ""
    missing = [line for line in docstring.splitlines() if line.strip() not in printed]
    assert missing == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--help"], "attention"),
        (["--version"], keras_cait.__version__),
        (["list"], "cait_m48_448"),
        (["list", "cait_s*_384"], "cait_s24_384"),
        (["predict", "--help"], "--image-size"),
        (["distill", "--help"], "--teacher-widths"),
        (["train", "--help"], "--learning-rate"),
        (["finetune", "--help"], "--scratch"),
        (["evaluate", "--help"], "--per-class"),
        (["convert", "--help"], ".safetensors"),
        (["export", "--help"], "--representative"),
    ],
)
def test_help_version_and_list_of_the_command(arguments, expected):
    assert expected in printed_by(*COMMAND, *arguments)
