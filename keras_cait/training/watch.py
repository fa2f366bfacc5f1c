"""What ends a worker when another one has died, which it would wait for forever."""

import atexit
import hashlib
import os
import queue
import selectors
import signal
import sys
import threading
from types import TracebackType

from keras_cait.training.cluster import Cluster
from keras_cait.training.meeting import Line
from keras_cait.training.termination import ask

LOST = 75  # exit code, sysexits.h's for "try again"
_MOMENT = 1.0  # seconds in which a connection's end arrives
_PATIENCE = 3.0  # seconds for who is gone to be found, after TensorFlow's error
WATCHES: "list[Watch]" = []  # of this process: one at most
_ABORTED = "Collective ops is aborted"  # TensorFlow's words for it


class Watch:
    """Watches the other workers until this process ends.

    The first worker has a connection to each of the others. A process that dies
    has its connections closed by the system: the first worker then tells the others
    who it was, and each ends with one line and the exit code 75. TensorFlow itself
    notices when heartbeats are missing, after half a minute and without an address;
    that is what ends the others when a process is there still, but stands.

    A process that ends as it should says so first, and waits for the others, since
    the first one's holds what TensorFlow needs in all of them.

    Args:
        cluster: The workers.
        lines: The connections, from `meet`.

    """

    def __init__(self, cluster: Cluster, lines: dict[int, Line]) -> None:
        self.cluster = cluster
        self._lines = dict(lines)
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
                line.say("differ", *indices)
        else:
            self._lines[0].say("has", digest)
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
                    line.say("end", self._last)
                for _ in self._lines:
                    self._said["heard"].get()
            else:
                self._lines[0].say("ask")
        return self._steps == self._last

    def _look(self) -> None:
        waiting = set(self._lines)
        while waiting and self._code is None:
            for key, _ in self._selector.select():
                line = self._lines[key.data]
                self._take(key.data, line.hear(), waiting)
                while line.has_more:
                    self._take(key.data, line.hear(), waiting)
        self._ended.set()

    def _take(self, index: int, words: list[str] | None, waiting: set[int]) -> None:
        """What another worker says; None from who has gone."""
        match words or ["lost", self.cluster.addresses[index]]:
            case ["bye"]:
                waiting.discard(index)
                self._selector.unregister(self._lines[index])
            case ["lost", address]:
                if self._code is None:  # or it has hung up itself
                    self._end(address)
            case ["ask"]:
                ask()
            case ["end", step]:
                self._last = int(step)
                self._lines[index].say("heard")
            case [word, *more] if word in self._said:
                if word == "differ" and more:
                    self._code = 1
                self._said[word].put((index, more))

    def _end(self, lost: str) -> None:
        for line in self._lines.values():
            line.say("lost", lost)
        index = self.cluster.addresses.index(lost)
        self._give_up(f"worker {index}, {lost}, is gone")

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
        if _ABORTED in str(error):  # where in the program says nothing
            self._ended.wait(_PATIENCE)
            said = " ".join(str(error).partition(_ABORTED)[2].split())
            self._give_up("a worker does not answer", f" TensorFlow says:{said[3:]}")
        if kind is not KeyboardInterrupt:
            # JAX fails in its own words, sooner than it is heard here who has gone.
            self._ended.wait(_MOMENT)
        self._code = 128 + signal.SIGINT if kind is KeyboardInterrupt else 1
        self._hook(kind, error, traceback)

    def _leave(self) -> None:
        if self._code is not None:
            for line in self._lines.values():
                line.hang_up()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self._code)  # JAX would wait for the others, and then abort
        first = self.cluster.index == 0
        if first:
            self._ended.wait()
        for line in self._lines.values():
            line.say("bye")
        if not first:
            self._ended.wait()
