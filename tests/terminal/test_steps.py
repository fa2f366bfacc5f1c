"""Steps are shown on a terminal, where a command asks for it."""

import contextlib
import io
import re

import pytest

from keras_cait.cli.app import main
from keras_cait.export import to_onnx
from keras_cait.terminal.steps import begin_step, counted_step, steps_shown
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_deit


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def colors(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")


def terminal():
    """A context in which the standard error is a terminal, whose text it gives."""
    return contextlib.redirect_stderr(Terminal())


def work():
    begin_step("writing a.onnx")
    with counted_step("running the export", 3) as advance:
        for _ in range(3):
            advance()


def test_a_terminal_shows_names_and_the_time_left():
    with terminal() as text, steps_shown():
        work()
    printed = text.getvalue()
    assert printed.startswith("writing a.onnx ...\n")
    assert re.search(r"running the export.*100%.*0:00:00", printed)


def test_nothing_is_shown_unless_a_command_asks_for_it():
    with terminal() as text:
        work()
        with steps_shown(False):
            work()
    assert text.getvalue() == ""


def test_a_quiet_part_of_a_command_that_shows_steps_shows_them_too():
    with terminal() as text:
        with steps_shown():
            with steps_shown(False):
                begin_step("inner")
            begin_step("outer")
        begin_step("after")
    assert text.getvalue() == "inner ...\nouter ...\n"


def test_a_log_shows_nothing(capsys):
    with steps_shown():
        work()
    assert capsys.readouterr().err == ""


def test_an_export_names_its_steps(tmp_path):
    model = plausible(tiny_deit(depth=1, patch_size=16))
    with terminal() as text:
        to_onnx(model, tmp_path / "a.onnx")
    steps = re.findall(r"^(\w+) .* \.\.\.$", text.getvalue(), re.MULTILINE)
    assert steps == ["preparing", "writing", "comparing"]
    assert "running the Keras model" in text.getvalue()


def test_a_conversion_names_the_file_that_it_writes(tmp_path):
    tiny_deit(depth=1).save(tmp_path / "a.keras")
    target = tmp_path / "a.weights.h5"
    with terminal() as text:
        assert main(["convert", str(tmp_path / "a.keras"), str(target)]) == 0
    assert text.getvalue().endswith(f"writing {target} ...\n")
