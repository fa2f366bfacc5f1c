"""Exports in processes of their own: from a checkout, and as a command."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import onnx
import pytest

from tests.support.command import COMMAND, run_python, with_package
from tests.support.models.tiny_models import tiny_deit
from tests.support.source_tree import ROOT

EXPORT = [*COMMAND, "export"]


def messages(stderr):
    """The lines of the standard error without the one that says what is loaded."""
    return [line for line in stderr.splitlines() if not line.startswith("loading ")]


@pytest.mark.parametrize(
    "command",
    [
        [*EXPORT, "--format", "onnx"],
        pytest.param([ROOT / "export" / "to_onnx.py"], marks=pytest.mark.slow),
    ],
)
def test_a_program_exports_a_file(command, tmp_path):
    model = tiny_deit(depth=1, patch_size=16, include_preprocessing=True)
    model.save(tmp_path / "model.keras")
    done = run_python(
        *command, "model.keras", "--output", "new/model.onnx", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert messages(done.stderr) == []
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["path"] == "new/model.onnx"
    onnx.checker.check_model(tmp_path / "new" / "model.onnx", full_check=True)


# Where only TensorFlow is installed.
WITHOUT_PACKAGES = """
import sys

for name in ("ai_edge_litert", "onnx", "onnxruntime", "tensorflow_serving", "tf2onnx"):
    sys.modules[name] = None
from keras_cait_command import main

code = main(sys.argv[1:])
import keras_cait.export

functions = [getattr(keras_cait.export, name) for name in keras_cait.export.__all__]
print(all(map(callable, functions)))
sys.exit(code)
"""


@pytest.mark.slow
def test_the_command_starts_without_the_packages_of_the_formats(tmp_path):
    flags = ["CaiT_XXS25", "--format", "onnx", "--output", "model.onnx"]
    done = run_python("-c", WITHOUT_PACKAGES, "export", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "True\n"), done.stderr
    (line,) = messages(done.stderr)
    assert line.startswith("error: Expected a name of keras_cait.list_models()")


@contextlib.contextmanager
def exporting(*flags, folder):
    """An export in the middle of its work."""
    model = tiny_deit(depth=1, patch_size=16, include_preprocessing=True)
    model.save(folder / "model.keras")
    (folder / "tmp").mkdir()
    command = [sys.executable, *EXPORT, "model.keras", *flags]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=with_package(TMPDIR=str(folder / "tmp")),
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
    done = run_python(*EXPORT, "model.keras", *flags, cwd=tmp_path)
    assert done.returncode == 0
    assert sorted(os.listdir(tmp_path / "new")) == ["model.onnx", "model.onnx.json"]
