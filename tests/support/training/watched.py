r"""Watches another worker that sends something, in a process of its own each time.

echo '[{"sends": ["616c6976650a"], "then": "dies"}]' \
    | python -m tests.support.training.watched
"""

import json
import os
import signal
import socket
import sys
import time

from keras_cait.training.devices import failure_detection as watch
from keras_cait.training.devices.cluster import Cluster
from keras_cait.training.devices.failure_detection import Watch
from keras_cait.training.devices.worker_connection import Connection

LONGEST = 20  # seconds; then what hangs is killed
ADDRESSES = ("zero:1", "one:2", "two:3")


def watched(*, sends, then="dies", index=0, other=1, sign=5.0, silence=40.0):
    """How a worker ends that watches another one: its exit code and standard error.

    Args:
        sends: What the other one sends, as hexadecimal digits, every 0.1 s.
        then: What becomes of the other one: it "dies", "stands" or "says bye". Before
            that this one may stand for a while: "this one stands".
        index: Of the one that watches.
        other: Of the one that is watched.
        sign: Seconds between two signs of life.
        silence: Seconds without one, after which a worker is gone.

    """
    here, there = socket.socketpair()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        there.close()
        os.dup2(writing, 2)
        watch._SIGN, watch._SILENCE = sign, silence
        found = Watch(Cluster(ADDRESSES, index), {other: Connection(here)})
        found._ended.wait(LONGEST)
        os._exit(0)
    here.close()
    os.close(writing)
    try:
        there.settimeout(LONGEST)
        if then == "this one stands":
            time.sleep(0.3)
            os.kill(child, signal.SIGSTOP)
        for message in sends:
            there.sendall(bytes.fromhex(message))
            time.sleep(0.1 if len(sends) > 1 else 0)
        if then == "this one stands":
            os.kill(child, signal.SIGCONT)
        if then in ("this one stands", "says bye"):
            there.sendall(b"bye\n")
    except BrokenPipeError:  # it has ended before
        pass
    if then == "dies":
        there.close()
    with open(reading, encoding="utf-8") as stderr:
        said = stderr.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said


if __name__ == "__main__":
    json.dump([watched(**options) for options in json.load(sys.stdin)], sys.stdout)
