"""Started as a person starts it: from a checkout, and as a module."""

import contextlib
import json
import os
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


def exported_from(*command, folder):
    """What `... model.keras --format onnx` leaves and says in a folder."""
    model = tiny_deit(depth=1, patch_size=16, include_preprocessing=True)
    model.save(folder / "model.keras")
    flags = ["model.keras", "--format", "onnx", "--output", "new/model.onnx"]
    done = start(*command, *flags, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["path"] == "new/model.onnx"
    onnx.checker.check_model(folder / "new" / "model.onnx", full_check=True)


def test_as_a_module(tmp_path):
    exported_from("-m", "keras_cait.export", folder=tmp_path)


@pytest.mark.slow
def test_from_a_checkout(tmp_path):
    exported_from(ROOT / "export", folder=tmp_path)


@pytest.mark.slow
def test_as_a_module_it_says_what_is_wrong_and_nothing_else(tmp_path):
    flags = ["CaiT_XXS25", "--format", "onnx", "--output", "model.onnx"]
    done = start("-m", "keras_cait.export", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: Expected a name of keras_cait.list_models()")


# What `python -m keras_cait.export` does, where no runtime but TensorFlow is there.
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
def test_as_a_module_without_the_packages_of_formats(tmp_path):
    flags = ["CaiT_XXS25", "--format", "onnx", "--output", "model.onnx"]
    done = start("-c", AS_A_MODULE, *flags, cwd=tmp_path)
    names = "['fold', 'to_onnx', 'to_saved_model', 'to_tflite']"
    assert done.stdout.splitlines() == [f"True {names}"], done.stderr
    assert done.returncode == 2
    # TensorFlow's own log stands before it, for "-c".
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
        while not list(folder.glob("**/.writing-*")):
            assert process.poll() is None
            time.sleep(0.02)
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("number", "code", "line", "flags"),
    [
        (signal.SIGINT, 130, "error: interrupted\n", ["onnx", "new/model.onnx"]),
        pytest.param(
            *(
                signal.SIGTERM,
                143,
                "error: terminated\n",
                ["saved_model", "new/served"],
            ),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(signal.SIGTERM, 143, "error: terminated\n", ["tflite", "new/a.tflite"]),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_signal_leaves_nothing(number, code, line, flags, tmp_path):
    flags = ["--format", flags[0], "--output", flags[1]]
    with exporting(*flags, folder=tmp_path) as process:
        process.send_signal(number)
        said = process.communicate(timeout=60)
    assert (process.returncode, *said) == (code, "", line)
    assert sorted(os.listdir(tmp_path)) == ["model.keras", "tmp"]
    # onnxruntime keeps a hidden file there.
    assert [name for name in os.listdir(tmp_path / "tmp") if name[0] != "."] == []


@pytest.mark.slow
def test_what_a_killed_export_left_is_removed_by_the_next(tmp_path):
    flags = ["--format", "onnx", "--output", "new/model.onnx"]
    with exporting(*flags, folder=tmp_path) as process:
        process.kill()
    assert len(list(tmp_path.glob("new/.writing-*"))) == 2  # the file and its report
    done = start("-m", "keras_cait.export", "model.keras", *flags, cwd=tmp_path)
    assert done.returncode == 0
    assert sorted(os.listdir(tmp_path / "new")) == ["model.onnx", "model.onnx.json"]


@pytest.mark.slow
@pytest.mark.parametrize("program", [["-m", "keras_cait.export"], [ROOT / "export"]])
def test_ctrl_c_while_packages_load_is_one_line(program, tmp_path):
    command = [sys.executable, "-X", "importtime", *program, "--help"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:  # lists modules when they are loaded
            if line.endswith(" keras_cait.command_line\n") or "h5py" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    said = [line for line in err.splitlines() if not line.startswith("import time:")]
    assert (process.returncode, out) == (-signal.SIGINT, "")  # in a shell 130
    assert said == ["error: interrupted"]
