"""The command `keras-cait demo`, as users start and stop it."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from keras_cait.cli.app import main
from tests.support.command import COMMAND, with_package
from tests.support.data.photographs import encoded, photograph
from tests.support.export.page_export import runtime_folder
from tests.support.models.tiny_models import randomize, tiny_cait

LIGHT = """
import sys
from keras_cait_command import main
code = main(sys.argv[1:])
heavy = {"keras", "tensorflow", "numpy"} & sys.modules.keys()
sys.exit(f"imported: {heavy}" if heavy else code)
"""


@pytest.fixture
def model(tmp_path):
    built = tiny_cait(class_names=[f"bird {n}" for n in range(10)])
    randomize(built).save(tmp_path / "birds.keras")
    return tmp_path / "birds.keras"


def read(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read()


@contextlib.contextmanager
def started(arguments, folder, script=COMMAND):
    """A process of the command, ended by Ctrl-C, and the line that it prints."""
    command = [sys.executable, *script, "demo", *map(str, arguments)]
    folder.mkdir()
    with subprocess.Popen(
        command,
        env=with_package(TMPDIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, line


def ended(process):
    """The standard error of a process after Ctrl-C, which must end well."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return errors


def test_serves_a_page_with_an_image_until_ctrl_c(model, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(encoded(photograph(60, 80)))
    runtime = runtime_folder(tmp_path / "runtime")
    flags = ["--port", "0", "--runtime", runtime, "--image", tmp_path / "photo.jpg"]
    with started([model, *flags], tmp_path / "temporary") as (process, line):
        found = re.match(r"(http://127\.0\.0\.1:\d+/)\?image=([\w-]+) shows", line)
        assert found, line
        address, image = found.groups()
        assert b"app.js" in read(address)
        described = json.loads(read(f"{address}model.json"))
        assert described["labels"][3] == "bird 3"
        assert described["weights"] == "birds.keras"  # not the folders of this machine
        assert str(tmp_path).encode() not in read(f"{address}model.onnx")
        assert read(address + image) == (tmp_path / "photo.jpg").read_bytes()
        errors = ended(process)
    assert errors.startswith(f"loading Keras and {model} ... ")
    assert "Traceback" not in errors
    assert list((tmp_path / "temporary").glob("tmp*")) == []


def test_an_exported_folder_is_served_at_once_without_keras(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("the page")
    (site / "model.json").write_text("{}")
    arguments = [site, "--port", "0"]
    with started(arguments, tmp_path / "temporary", ("-c", LIGHT)) as (process, line):
        assert read(line.split()[0]) == b"the page"
        assert ended(process) == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "FOLDER"], "without model.json"),
        (["demo", "FOLDER", "--image-size", "64"], "Received: --image-size"),
        (
            ["demo", "FOLDER", "--runtime", ".", "--weights", "none"],
            "Leave these flags out. Received: --weights, --runtime",
        ),
        (["demo", "FOLDER", "--image", "none.jpg"], "No image at none.jpg"),
        (["demo", "cait_xxs25"], "Did you mean"),
    ],
)
def test_errors_have_one_line(arguments, message, tmp_path, capsys):
    given = [str(tmp_path) if part == "FOLDER" else part for part in arguments]
    assert main([*given, "--port", "0"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
