"""What ends a worker when another one has died, which it would wait for forever."""

import atexit
import os
import selectors
import sys
import threading
from types import TracebackType

from keras_cait.training.cluster import Cluster
from keras_cait.training.meeting import Line

LOST = 75  # exit code, sysexits.h's for "try again"
_PATIENCE = 3.0  # seconds for who is gone to be found, after TensorFlow's error
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
        self._failed = False
        self._selector = selectors.DefaultSelector()
        for index, line in lines.items():
            self._selector.register(line, selectors.EVENT_READ, index)
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        self._hook, sys.excepthook = sys.excepthook, self._on_error
        atexit.register(self._leave)

    def abandon(self) -> None:
        """Lets the others end too; for who leaves with an exit code but 0."""
        self._failed = True

    def _look(self) -> None:
        waiting = set(self._lines)
        while waiting and not self._failed:
            for key, _ in self._selector.select():
                index = key.data
                words = self._lines[index].hear()
                if words == ["bye"]:
                    waiting.discard(index)
                    self._selector.unregister(self._lines[index])
                elif not self._failed:  # or it has hung up itself
                    lost = words[1] if words else self.cluster.addresses[index]
                    self._end(lost)
        self._ended.set()

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
        self._failed = True
        self._hook(kind, error, traceback)

    def _leave(self) -> None:
        if self._failed:
            for line in self._lines.values():
                line.hang_up()  # the process itself may take long to end
            return
        first = self.cluster.index == 0
        if first:
            self._ended.wait()
        for line in self._lines.values():
            line.say("bye")
        if not first:
            self._ended.wait()
