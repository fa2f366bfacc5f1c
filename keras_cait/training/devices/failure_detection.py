"""Ends a worker when another one is gone, which it would wait for forever."""

import atexit
import hashlib
import os
import queue
import selectors
import signal
import sys
import threading
import time
from types import TracebackType

from keras_cait.training.devices.cluster import Cluster
from keras_cait.training.devices.termination import ask
from keras_cait.training.devices.worker_connection import Connection

LOST = 75  # exit code, sysexits.h's for "try again"
_SIGN = 5.0  # seconds between two signs of life
_SILENCE = 40.0  # seconds without one, after which a worker is gone
_PATIENCE = 10.0  # seconds for who is gone to be found, after the engine's error
WATCHES: "list[Watch]" = []  # of this process: one at most
_WHY = {
    "gone": "is gone",
    "silent": "does not answer",
    "garbled": "has sent what is no message",
}
_ABORTED = "Collective ops is aborted"  # TensorFlow's words for it


class Watch:
    """Watches the other workers until this process ends.

    The first worker has a connection to each of the others. The system closes those of
    a process that dies, and each process sends a sign of life every 5 s: one whose
    connection ends, that is silent for 40 s, or that sends what is no message, is gone.
    The first worker tells the others which one it is, and each ends with one line and
    the exit code 75. A process that ends as it should says so first, and waits for the
    others, since the first one's holds what the engine needs in all of them.

    The engines do not suffice. TensorFlow 2.21 raises an error within 17 s of a
    process's death or standstill. But JAX 0.10.2, whose worker 0 is gone, or whose
    other worker stands, aborts the process (SIGABRT) after printing a C++ stack trace,
    by default after 100 s; it cannot be told to do something else, since its
    `missed_heartbeat_callback` ends in a `std::bad_cast`.

    Args:
        cluster: The workers.
        lines: The connections, from `meet`.

    """

    def __init__(self, cluster: Cluster, lines: dict[int, Connection]) -> None:
        self.cluster = cluster
        self._lines = dict(lines)
        self._signed = time.monotonic()  # when the last sign of life was sent
        self._heard = dict.fromkeys(lines, self._signed)  # last of who is waited for
        self._ended = threading.Event()
        self._code: int | None = None  # with which this process leaves the others
        self._steps = 0
        self._last: int | None = None  # of the steps, for all
        self._has_asked = False
        self._said: dict[str, queue.Queue[tuple[int, list[str]]]] = {
            word: queue.Queue() for word in ("has", "differ", "heard")
        }
        self._selector = selectors.DefaultSelector()
        for index, line in lines.items():
            self._selector.register(line, selectors.EVENT_READ, index)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        self._hook, sys.excepthook = sys.excepthook, self._on_error
        atexit.register(self._leave)

    def abandon(self, code: int) -> None:
        """Lets the others end too; for who leaves with an exit code but 0.

        Nothing where all have agreed to end: they wait for each other.

        Args:
            code: The exit code.

        """
        if self._last != self._steps:
            self._code = code

    def differ(self, text: str) -> list[str]:
        """The addresses of the workers that have another text than the first one.

        Every worker asks, and waits until all have. Where there are such, each is to
        end with what it has to say, whoever is the first to.
        """
        digest = hashlib.sha256(text.encode()).hexdigest()
        if self.cluster.index == 0:
            found = [self._said["has"].get() for _ in self._lines]
            indices = sorted(index for index, words in found if words != [digest])
            self._code = 1 if indices else None
            for line in self._lines.values():
                line.send("differ", *indices)
        else:
            self._lines[0].send("has", digest)
            indices = [int(word) for word in self._said["differ"].get()[1]]
        return [self.cluster.addresses[index] for index in indices]

    def ends_here(self, asked: bool) -> bool:
        """Whether all workers end after this step; each asks after each step.

        No worker can finish a step without the first one. So when that one has been
        asked to end, it names the next step, and goes on once all have heard of it.
        """
        self._steps += 1
        if asked and not self._has_asked:
            self._has_asked = True
            if self.cluster.index == 0:
                self._last = self._steps + 1
                for line in self._lines.values():
                    line.send("end", self._last)
                for _ in self._lines:
                    self._said["heard"].get()
            else:
                self._lines[0].send("ask")
        return self._steps == self._last

    def _look(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - unseen, it would end the watch
            self._give_up(f"the other workers cannot be watched ({error!r})")
        self._ended.set()

    def _follow(self) -> None:
        """Follows the others until all have ended as they should."""
        while self._heard and self._code is None:
            for key, _ in self._selector.select(_SIGN):
                index: int = key.data
                self._heard[index] = time.monotonic()
                if self._is_over(index):
                    del self._heard[index]
                    self._selector.unregister(self._lines[index])
            self._give_sign()
            for index, last in self._heard.items():
                if time.monotonic() - last > _SILENCE:
                    self._end(index, "silent")

    def _give_sign(self) -> None:
        """Sends a sign of life, if it is time to."""
        now = time.monotonic()
        if now - self._signed < _SIGN:
            return
        if now - self._signed > 3 * _SIGN:  # it is this process that stood
            self._heard = dict.fromkeys(self._heard, now)
        self._signed = now
        for line in self._lines.values():
            line.send("alive")

    def _is_over(self, index: int) -> bool:
        """Takes what another worker has sent; whether it ends as it should."""
        try:
            lines = self._lines[index].receive()
            taken = None if lines is None else [self._take(index, *w) for w in lines]
        except ValueError:
            self._end(index, "garbled")
            return True
        if taken is None:
            self._end(index, "gone")
            return True
        return any(taken)

    def _take(self, index: int, *words: str) -> bool:
        """Takes a message of another worker; whether it was its last one.

        Raises:
            ValueError: If it is no message.

        """
        match words:
            case ["alive"] | ["bye"]:
                return words[0] == "bye"
            case ["lost", number, why] if why in _WHY:
                self._end(self._index(number), why)
            case ["ask"]:
                ask()
            case ["end", step]:
                self._last = int(step)
                self._lines[index].send("heard")
            case ["has", _] | ["heard"]:
                self._said[words[0]].put((index, list(words[1:])))
            case ["differ", *numbers]:
                indices = [str(self._index(number)) for number in numbers]
                if indices:
                    self._code = 1
                self._said["differ"].put((index, indices))
            case _:
                raise ValueError(f"{words} is no message")
        return False

    def _index(self, number: str) -> int:
        """A worker's index, as another one has sent it."""
        index = int(number)
        if not 0 <= index < len(self.cluster.addresses):
            raise ValueError(f"{number} is no worker")
        return index

    def _end(self, lost: int, why: str) -> None:
        """Ends this process, for one that is gone; nothing where it ends anyway."""
        if self._code is not None:
            return
        for line in self._lines.values():
            line.send("lost", lost, why)
        self._give_up(f"worker {lost}, {self.cluster.addresses[lost]}, {_WHY[why]}")

    def _give_up(self, why: str, more: str = "") -> None:
        sys.stdout.flush()
        sys.stderr.write(
            f"\nerror: {why}, and worker {self.cluster.index}, {self.cluster.address}, "
            "cannot go on without it. Start all workers again, from the last "
            f"checkpoint.{more}\n"
        )
        sys.stderr.flush()
        os._exit(LOST)  # the main thread waits in TensorFlow, and would forever

    def _on_error(
        self,
        kind: type[BaseException],
        error: BaseException,
        traceback: TracebackType | None,
    ) -> None:
        if kind.__module__.partition(".")[0] in ("tensorflow", "jax", "jaxlib"):
            # The engine may fail sooner than it is heard here who is gone.
            self._ended.wait(_PATIENCE)
        if _ABORTED in str(error):  # where in the program says nothing
            said = " ".join(str(error).partition(_ABORTED)[2].split())
            self._give_up("a worker does not answer", f" TensorFlow says:{said[3:]}")
        self._code = 128 + signal.SIGINT if kind is KeyboardInterrupt else 1
        self._hook(kind, error, traceback)

    def _leave(self) -> None:
        if self._code is not None:
            for line in self._lines.values():
                line.shut_down()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self._code)  # JAX would wait for the others, and then abort
        first = self.cluster.index == 0
        if first:
            self._ended.wait()
        for line in self._lines.values():
            line.send("bye")
        if not first:
            self._ended.wait()
