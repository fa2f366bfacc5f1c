"""SIGTERM and Ctrl-C, sent to this process."""

import os
import signal
import threading

import pytest

from keras_cait.training.devices.termination import (
    end,
    end_if_asked,
    exits_on_signals,
    is_asked,
    signals_deferred,
)


def send(number=signal.SIGTERM):
    os.kill(os.getpid(), number)


def test_sigterm_ends_the_program_with_143(capsys):
    with pytest.raises(SystemExit) as found, exits_on_signals():
        send()
    assert found.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert capsys.readouterr().err == "error: terminated\n"


def test_ctrl_c_raises_keyboard_interrupt():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), exits_on_signals():
        send(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before
    assert not is_asked()


@pytest.mark.parametrize(
    ("number", "code", "line"),
    [
        (signal.SIGTERM, 143, "error: terminated\n"),
        (signal.SIGINT, 130, "error: interrupted\n"),
    ],
)
def test_a_deferred_signal_ends_the_program_after_the_step(number, code, line, capsys):
    done = []

    def work():
        with exits_on_signals(), signals_deferred():
            send(number)
            assert is_asked()
            done.append("the step that was being done")
        done.append("more")

    with pytest.raises(SystemExit) as found:
        work()
    assert found.value.code == code
    assert capsys.readouterr().err == line
    assert done == ["the step that was being done"]
    assert not is_asked()


def test_a_second_ctrl_c_is_not_deferred():
    done = []

    def work():
        with exits_on_signals(), signals_deferred():
            send(signal.SIGINT)
            done.append("one")
            send(signal.SIGINT)
            done.append("two")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["one"]
    assert not is_asked()


def test_a_worker_without_a_signal_ends_as_after_sigterm(capsys):
    with pytest.raises(SystemExit) as found:
        end("kept at step 1.")
    assert found.value.code == 143
    assert capsys.readouterr().err == "\nerror: terminated: kept at step 1.\n"


def test_without_a_signal_the_program_goes_on():
    with exits_on_signals(), signals_deferred():
        end_if_asked()


def test_in_another_thread_handlers_stay():
    found = []

    def work():
        with exits_on_signals():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]
