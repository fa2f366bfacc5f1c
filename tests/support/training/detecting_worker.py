r"""A worker with failure detection, in a process of its own for each case.

echo '[{"sends": ["616c6976650a"], "then": "dies"}]' \
    | python -m tests.support.training.detecting_worker
"""

import json
import os
import signal
import socket
import sys
import time

from keras_cait.training.devices import failure_detection
from keras_cait.training.devices.cluster import Cluster
from keras_cait.training.devices.failure_detection import FailureDetection
from keras_cait.training.devices.worker_connection import Connection

LONGEST = 20  # seconds; then what hangs is killed
ADDRESSES = ("zero:1", "one:2", "two:3")


def detect(*, sends, then="dies", index=0, other=1, interval=5.0, timeout=40.0):
    """Exit code and standard error of a worker that is connected to another one.

    Args:
        sends: Messages of the other worker in hexadecimal digits, every 0.1 s.
        then: The end of the other worker: it "dies", "stops" or "leaves". Before
            it leaves, this worker may be stopped for a while: "this one stops".
        index: Index of this worker.
        other: Index of the other worker.
        interval: Seconds between two heartbeats.
        timeout: Seconds without a heartbeat, after which a worker is lost.

    """
    here, there = socket.socketpair()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        there.close()
        os.dup2(writing, 2)
        failure_detection._INTERVAL = interval
        failure_detection._TIMEOUT = timeout
        connections = {other: Connection(here)}
        detection = FailureDetection(Cluster(ADDRESSES, index), connections)
        detection.has_ended.wait(LONGEST)
        os._exit(0)
    here.close()
    os.close(writing)
    try:
        there.settimeout(LONGEST)
        if then == "this one stops":
            time.sleep(0.3)
            os.kill(child, signal.SIGSTOP)
        for message in sends:
            there.sendall(bytes.fromhex(message))
            time.sleep(0.1 if len(sends) > 1 else 0)
        if then == "this one stops":
            os.kill(child, signal.SIGCONT)
        if then in ("this one stops", "leaves"):
            there.sendall(b"bye\n")
    except BrokenPipeError:  # this one has ended before
        pass
    if then == "dies":
        there.close()
    with open(reading, encoding="utf-8") as stderr:
        printed = stderr.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), printed


if __name__ == "__main__":
    json.dump([detect(**options) for options in json.load(sys.stdin)], sys.stdout)
