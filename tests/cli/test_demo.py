"""The command `keras-cait demo`, as users start and stop it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

from keras_cait.cli.app import main
from tests.support.data.photographs import encoded, photograph
from tests.support.export.page_export import runtime_folder
from tests.support.models.tiny_models import randomize, tiny_cait
from tests.support.source_tree import ROOT


@pytest.fixture
def model(tmp_path):
    built = tiny_cait(class_names=[f"bird {n}" for n in range(10)])
    randomize(built).save(tmp_path / "birds.keras")
    return tmp_path / "birds.keras"


def read(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read()


def test_serves_a_page_with_an_image_until_ctrl_c(model, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(encoded(photograph(60, 80)))
    runtime = runtime_folder(tmp_path / "runtime")
    flags = ["--port", "0", "--runtime", runtime, "--image", tmp_path / "photo.jpg"]
    start = "import sys, keras_cait_command; sys.exit(keras_cait_command.main())"
    command = [sys.executable, "-c", start, "demo", model, *flags]
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with subprocess.Popen(
        [str(part) for part in command],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.match(r"(http://127\.0\.0\.1:\d+/)\?image=([\w-]+) shows", line)
        assert found, process.communicate()[1]
        address, image = found.groups()
        assert b"app.js" in read(address)
        described = json.loads(read(f"{address}model.json"))
        assert described["labels"][3] == "bird 3"
        assert read(address + image) == (tmp_path / "photo.jpg").read_bytes()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert list(temporary.glob("tmp*")) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "FOLDER"], "without model.json"),
        (["demo", "FOLDER", "--image-size", "64"], "Leave these flags out"),
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
