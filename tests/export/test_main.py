"""Exports in processes of their own: from a checkout, and as a module."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import onnx
import pytest

from tests.support.models.tiny_models import tiny_deit

ROOT = Path(__file__).resolve().parents[2]


def start(*command, cwd):
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True
    )


def messages(stderr):
    """The lines of the standard error without those that TensorFlow logs at import."""
    logged = re.compile(r"WARNING: All log messages before|[IWE]\d{4} |To enable ")
    return [line for line in stderr.splitlines() if not logged.match(line)]


def check_export(*command, folder):
    """Exports model.keras with a program; checks its output and the file."""
    model = tiny_deit(depth=1, patch_size=16, include_preprocessing=True)
    model.save(folder / "model.keras")
    done = start(*command, "model.keras", "--output", "new/model.onnx", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert messages(done.stderr) == []
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["path"] == "new/model.onnx"
    onnx.checker.check_model(folder / "new" / "model.onnx", full_check=True)


def test_the_module_exports_a_file(tmp_path):
    check_export("-m", "keras_cait.export", "--format", "onnx", folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [[ROOT / "export", "--format", "onnx"], [ROOT / "export" / "to_onnx.py"]]
)
def test_a_program_of_a_checkout_exports_a_file(command, tmp_path):
    check_export(*command, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "flag", "foreign"),
    [
        (["-m", "keras_cait.export"], "--opset", None),
        (["export"], "--opset", None),
        (["export/to_onnx.py"], "--opset", "--precision"),
        (["export/to_tflite.py"], "--precision", "--opset"),
        (["export/to_saved_model.py"], "--version", "--overwrite"),
    ],
)
def test_help_shows_the_command_and_the_flags_of_its_format(command, flag, foreign):
    done = start(*command, "--help", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert words.startswith(f"usage: python {' '.join(command)} [-h]")
    assert f" {flag} " in words
    assert f" python {' '.join(command)} " in words.partition("MODEL ")[2]
    assert foreign is None or foreign not in words
    assert ("--format" in words) == (foreign is None)


@pytest.mark.slow
def test_an_unknown_model_is_one_line_of_error(tmp_path):
    flags = ["CaiT_XXS25", "--format", "onnx", "--output", "model.onnx"]
    done = start("-m", "keras_cait.export", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = messages(done.stderr)
    assert line.startswith("error: Expected a name of keras_cait.list_models()")


# As `python -m keras_cait.export`, where only TensorFlow is installed.
AS_A_MODULE = """
import runpy, sys

for name in ("ai_edge_litert", "onnx", "onnxruntime", "tensorflow_serving", "tf2onnx"):
    sys.modules[name] = None
import keras_cait.export

functions = [getattr(keras_cait.export, name) for name in keras_cait.export.__all__]
print(all(map(callable, functions)), keras_cait.export.__all__)
sys.argv = ["keras_cait.export", *sys.argv[1:]]
runpy.run_module("keras_cait.export", run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
def test_the_module_starts_without_the_packages_of_the_formats(tmp_path):
    flags = ["CaiT_XXS25", "--format", "onnx", "--output", "model.onnx"]
    done = start("-c", AS_A_MODULE, *flags, cwd=tmp_path)
    names = "['fold', 'to_onnx', 'to_saved_model', 'to_tflite']"
    assert done.stdout.splitlines() == [f"True {names}"], done.stderr
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: Expected a name of keras_cait.list_models()")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def exporting(*flags, folder):
    """An export in the middle of its work."""
    model = tiny_deit(depth=1, patch_size=16, include_preprocessing=True)
    model.save(folder / "model.keras")
    (folder / "tmp").mkdir()
    command = [sys.executable, "-m", "keras_cait.export", "model.keras", *flags]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # The temporary names of the export and of its report.
        while len(list(folder.glob("**/.writing-*"))) < 2:
            assert process.poll() is None
            time.sleep(0.02)
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("number", "code", "line", "flags"),
    [
        (signal.SIGINT, 130, "error: interrupted", ["onnx", "new/model.onnx"]),
        pytest.param(
            *(
                signal.SIGTERM,
                143,
                "error: terminated",
                ["saved_model", "new/served"],
            ),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(signal.SIGTERM, 143, "error: terminated", ["tflite", "new/a.tflite"]),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_signal_ends_an_export_and_leaves_no_file(
    number, code, line, flags, tmp_path
):
    flags = ["--format", flags[0], "--output", flags[1]]
    with exporting(*flags, folder=tmp_path) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert messages(err) == [line]
    assert sorted(os.listdir(tmp_path)) == ["model.keras", "tmp"]
    # onnxruntime keeps a hidden file there.
    assert [name for name in os.listdir(tmp_path / "tmp") if name[0] != "."] == []


@pytest.mark.slow
def test_temporary_files_of_a_killed_export_are_removed_by_the_next(tmp_path):
    flags = ["--format", "onnx", "--output", "new/model.onnx"]
    with exporting(*flags, folder=tmp_path) as process:
        process.kill()
    assert len(list(tmp_path.glob("new/.writing-*"))) == 2  # the file and its report
    done = start("-m", "keras_cait.export", "model.keras", *flags, cwd=tmp_path)
    assert done.returncode == 0
    assert sorted(os.listdir(tmp_path / "new")) == ["model.onnx", "model.onnx.json"]
