"""Connection between two workers, which carries lines of words."""

import contextlib
import socket
import threading
import time

SHORT = 5.0  # seconds for sending a line, or for a handshake
_LONGEST = 2**16  # bytes of a line


class Connection:
    """Lines of words over a TCP socket."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._socket.settimeout(SHORT)
        self._rest = b""
        self._lock = threading.Lock()  # lines of two threads must not mix

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, *words: object) -> None:
        """Sends a line. If the other worker is gone, the line is lost without error."""
        line = f"{' '.join(map(str, words))}\n".encode()
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall(line)

    def receive(self) -> list[list[str]] | None:
        """The words of all lines received; None at the connection's end.

        Reads once: does not block if there is something to read. Raises `ValueError` if
        it is not ASCII, or a line is too long.
        """
        if not self._read():
            return None
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode("ascii").split() for line in lines]

    def receive_line(self, deadline: float) -> list[str] | None:
        """The words of the next line; None without a valid line before the deadline.

        The deadline, in the time of `time.monotonic`, is for the whole line.
        """
        try:
            while b"\n" not in self._rest:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._socket.settimeout(left)
                if not self._read():
                    return None
            line, _, self._rest = self._rest.partition(b"\n")
            return line.decode("ascii").split()
        except ValueError:
            return None
        finally:
            self._socket.settimeout(SHORT)

    def _read(self) -> bool:
        """Reads once; False at the end."""
        try:
            more = self._socket.recv(_LONGEST)
        except OSError:
            return False
        self._rest += more
        if len(self._rest) > _LONGEST and b"\n" not in self._rest:
            raise ValueError("a line is too long")
        return bool(more)

    def shut_down(self) -> None:
        """Ends the connection, also for a thread that is reading."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
