"""SIGTERM, sent to this process."""

import os
import signal
import threading

import pytest

from keras_cait.training.termination import (
    end_if_asked,
    exits_on_sigterm,
    is_asked,
    sigterm_put_off,
)


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def test_it_ends_the_program_with_143():
    with pytest.raises(SystemExit) as found, exits_on_sigterm():
        terminate()
    assert found.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_it_can_be_put_off():
    done = []

    def work():
        with exits_on_sigterm(), sigterm_put_off():
            terminate()
            assert is_asked()
            done.append("the step that was being done")
        done.append("more")

    with pytest.raises(SystemExit) as found:
        work()
    assert found.value.code == 143
    assert done == ["the step that was being done"]
    assert not is_asked()


def test_nothing_happens_unasked():
    with exits_on_sigterm(), sigterm_put_off():
        end_if_asked()


def test_other_threads_are_left_alone():
    found = []

    def work():
        with exits_on_sigterm():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]
