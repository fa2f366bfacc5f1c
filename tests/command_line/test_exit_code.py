"""Programs end with one line and the exit code that shells expect."""

import os
import signal
import sys
import threading

import pytest

from keras_cait.command_line.exit_code import exit_code_of


def interrupted_by(number):
    """Work that sends itself a signal, and a list that records its clean-up."""
    cleaned = []

    def work():
        try:
            os.kill(os.getpid(), number)
            threading.Event().wait(10)  # the signal arrives before
        except Exception:  # noqa: BLE001  (a signal must pass it)
            cleaned.append("swallowed")
        finally:
            cleaned.append("done")
        return "finished"

    return work, cleaned


@pytest.mark.parametrize(
    ("number", "code", "line"),
    [
        (signal.SIGINT, 130, "error: interrupted\n"),
        (signal.SIGTERM, 143, "error: terminated\n"),
    ],
)
def test_a_signal_ends_the_program_after_its_clean_up(number, code, line, capsys):
    before = signal.getsignal(signal.SIGTERM)
    work, cleaned = interrupted_by(number)
    assert exit_code_of(work) == code
    assert cleaned == ["done"]
    assert tuple(capsys.readouterr()) == ("", line)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (15, 143)])
def test_a_signal_during_a_deletion_ends_the_program(number, code, capsys):
    class Deleted:
        def __del__(self):
            os.kill(os.getpid(), number)

    def work():
        Deleted()
        threading.Event().wait(10)
        return "finished"

    assert exit_code_of(work) == code
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_another_error_during_a_deletion_is_reported(capsys, monkeypatch):
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)

    class Deleted:
        def __del__(self):
            raise ValueError("in a deletion")

    assert exit_code_of(lambda: str(Deleted())[:0]) == 0
    assert [type(one.exc_value) for one in reported] == [ValueError]
    assert sys.unraisablehook == reported.append


def test_an_existing_sigterm_handler_is_kept(capsys):
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        assert exit_code_of(lambda: str(os.kill(os.getpid(), signal.SIGTERM))) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [signal.SIGTERM]


def test_in_another_thread_it_returns_the_code(capsys):
    codes = []
    thread = threading.Thread(target=lambda: codes.append(exit_code_of(lambda: "a")))
    thread.start()
    thread.join()
    assert codes == [0]


def raising(message):
    def work():
        raise ValueError(message)

    return work


def test_an_error_about_an_argument_names_the_flag(capsys):
    message = (
        '`batch_size` must be 1 or more, unless `jit=True` or `precision="int8"`. '
        "Received: batch_size=0, depth=2, from /data/jit=1/a"
    )
    flags = ["--batch-size", "--jit", "--precision"]
    assert exit_code_of(raising(message), flags=flags) == 2
    assert capsys.readouterr().err == (
        "error: --batch-size must be 1 or more, unless --jit or --precision int8. "
        "Received: --batch-size 0, depth=2, from /data/jit=1/a\n"
    )
    assert exit_code_of(raising(message)) == 2
    assert capsys.readouterr().err == f"error: {message}\n"
