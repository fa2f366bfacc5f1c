"""Ends a worker of a training run on JAX when another worker is lost.

JAX needs it. Measured without it, with two processes on one machine (CPU) in training;
the first worker also runs the engine's coordination service:

| lost worker     | TensorFlow 2.21               | JAX 0.10.2              |
|-----------------|-------------------------------|-------------------------|
| first, SIGKILL  | Python exception after 3 s    | SIGABRT after 1 s       |
| second, SIGKILL | Python exception after 10 s   | SIGABRT after 100 s     |
| first, SIGSTOP  | Python exception after 11 s   | SIGABRT after 87 s      |
| second, SIGSTOP | Python exception after 13 s   | SIGABRT after 89 s      |

So `tensorflow_strategy` only prints TensorFlow's exception as one line. JAX prints a
C++ stack trace and aborts; its `missed_heartbeat_callback`, which should replace that,
ends in a `std::bad_cast`. TensorFlow has one gap: if a worker is lost in the moment
after the handshake in which `MultiWorkerMirroredStrategy` starts, the first one waits
for it for more than nine minutes. No Python thread runs meanwhile, so none can help.
"""

import atexit
import os
import selectors
import signal
import sys
import threading
import time
from types import TracebackType
from typing import NoReturn

from keras_cait.training.devices.cluster import Cluster
from keras_cait.training.devices.worker_connection import Connection

LOST = 75  # exit code, sysexits.h's for "try again"
_INTERVAL = 5.0  # seconds between two heartbeats
_TIMEOUT = 40.0  # seconds without a heartbeat, after which a worker is lost
_PATIENCE = 10.0  # seconds to find the lost worker after an error of JAX
_REASONS = {
    "gone": "is gone",
    "silent": "does not answer",
    "garbled": "has sent an invalid message",
}


class FailureDetection:
    """Exchanges heartbeats with the other workers in a thread, until `leave`.

    The first worker has a connection to each of the others. The system closes those of
    a process that dies. A worker is lost if its connection ends, if it is silent for
    40 s, or if it sends an invalid message. The first worker tells the others which one
    is lost; each prints one line and exits with code 75.

    If `exit_code` is set, this process exits without waiting for the others, and no
    longer because of a lost worker. `waits_for_others` is true once all workers have
    agreed to end. `has_ended` is set when all others have left, or `exit_code` is set.
    """

    def __init__(self, cluster: Cluster, connections: dict[int, Connection]) -> None:
        self.exit_code: int | None = None
        self.waits_for_others = False
        self.has_ended = threading.Event()
        self._cluster, self._connections = cluster, connections
        self._sent = time.monotonic()  # time of the last heartbeat
        self._heard = dict.fromkeys(connections, self._sent)  # of those who are left
        self._selector = selectors.DefaultSelector()
        for index, connection in connections.items():
            self._selector.register(connection, selectors.EVENT_READ, index)
        threading.Thread(target=self._run, daemon=True).start()

    def abandon(self, code: int) -> None:
        """Exits with this code without the others, unless all have agreed to end."""
        if not self.waits_for_others:
            self.exit_code = code

    def leave(self) -> None:
        """Waits until all workers leave; ends the process if it has an exit code."""
        if self.exit_code is not None:
            for connection in self._connections.values():
                connection.shut_down()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.exit_code)  # JAX would wait for the others, and then abort
        is_first = self._cluster.index == 0
        if is_first:  # it holds what the engine needs in all of them
            self.has_ended.wait()
        for connection in self._connections.values():
            connection.send("bye")
        if not is_first:
            self.has_ended.wait()

    def _run(self) -> None:
        try:
            while self._heard and self.exit_code is None:
                for key, _ in self._selector.select(_INTERVAL):
                    self._receive(key.data)
                self._send_heartbeat()
                for index, last in self._heard.items():
                    if time.monotonic() - last > _TIMEOUT:
                        self._end(index, "silent")
        except Exception as error:  # noqa: BLE001 - the thread would end unnoticed
            exit_without(self._cluster, f"a worker cannot be heard ({error!r})")
        self.has_ended.set()

    def _send_heartbeat(self) -> None:
        now = time.monotonic()
        if now - self._sent < _INTERVAL:
            return
        if now - self._sent > 3 * _INTERVAL:  # this process was stopped, not the others
            self._heard = dict.fromkeys(self._heard, now)
        self._sent = now
        for connection in self._connections.values():
            connection.send("alive")

    def _receive(self, index: int) -> None:
        self._heard[index] = time.monotonic()
        try:
            lines = self._connections[index].receive()
            if lines is None:
                self._end(index, "gone")
            for words in lines or ():
                self._follow(index, words)
        except ValueError:
            self._end(index, "garbled")

    def _follow(self, index: int, words: list[str]) -> None:
        """Acts on a line from another worker; raises `ValueError` if it is invalid."""
        match words:
            case ["alive"]:
                pass
            case ["bye"]:
                if self._heard.pop(index, None):
                    self._selector.unregister(self._connections[index])
            case ["lost", number, reason] if reason in _REASONS:
                if not 0 <= int(number) < len(self._cluster.addresses):
                    raise ValueError(f"{number} is no worker")
                self._end(int(number), reason)
            case _:
                raise ValueError(f"{words} is no message")

    def _end(self, lost: int, reason: str) -> None:
        if self.exit_code is not None:
            return
        for connection in self._connections.values():
            connection.send("lost", lost, reason)
        exit_without(
            self._cluster,
            f"worker {lost}, {self._cluster.addresses[lost]}, {_REASONS[reason]}",
        )


def detect_until_exit(
    cluster: Cluster, connections: dict[int, Connection]
) -> FailureDetection:
    """Starts detection that lasts until this process exits, for JAX."""
    detection = FailureDetection(cluster, connections)
    print_error = sys.excepthook

    def on_error(
        kind: type[BaseException],
        error: BaseException,
        traceback: TracebackType | None,
    ) -> None:
        if kind.__module__.partition(".")[0] in ("jax", "jaxlib"):
            # JAX may fail before the lost worker is detected.
            detection.has_ended.wait(_PATIENCE)
        detection.exit_code = 128 + signal.SIGINT if kind is KeyboardInterrupt else 1
        print_error(kind, error, traceback)

    sys.excepthook = on_error
    atexit.register(detection.leave)
    return detection


def exit_without(cluster: Cluster, reason: str, details: str = "") -> NoReturn:
    """Exits with code 75 and one line, whatever the other threads do."""
    sys.stdout.flush()
    sys.stderr.write(
        f"\nerror: {reason}, and worker {cluster.index}, {cluster.address}, cannot go "
        f"on without it. Start all workers again, from the last checkpoint.{details}\n"
    )
    sys.stderr.flush()
    os._exit(LOST)  # the main thread waits in the engine, and would forever
