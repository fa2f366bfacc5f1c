"""Capture of the standard error, and its release inside of a capture."""

import os

import pytest

from keras_cait.terminal.captured_stderr import captured_stderr, released_stderr


def test_a_capture_holds_what_is_not_released(capfd):
    with captured_stderr() as outer, captured_stderr() as inner:
        os.write(2, b"one ")
        with released_stderr():
            os.write(2, b"seen ")
        os.write(2, b"two")
    os.write(2, b"behind")
    assert (inner(), outer()) == ("one two", "")
    assert capfd.readouterr().err == "seen behind"


def test_an_error_in_a_release_ends_it(capfd):
    def failing():
        with released_stderr():
            raise OSError("no network")

    with captured_stderr() as written:
        with pytest.raises(OSError, match="no network"):
            failing()
        os.write(2, b"captured")
    with released_stderr():  # without a capture
        os.write(2, b"seen")
    assert written() == "captured"
    assert capfd.readouterr().err == "seen"
