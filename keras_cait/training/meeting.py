"""Workers that wait for each other at the start, and notice when one is gone."""

import contextlib
import hashlib
import socket
import time

from keras_cait.training.cluster import Cluster, host_of, port_of

_PAUSE = 0.2  # seconds between two attempts
_GREETING_TIME = 5.0  # seconds that who connects has to say who it is
_LONGEST = 1000  # bytes of a line


class Line:
    """A connection between two workers, which carries lines of text."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._rest = b""
        # A machine that vanishes closes nothing: it is asked after 10 s of silence,
        # and gone if it does not answer for 15 s more.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("KEEPIDLE", 10), ("KEEPINTVL", 5), ("KEEPCNT", 3)):
            option = getattr(socket, f"TCP_{name}", None)  # not on every system
            if option is not None:
                connection.setsockopt(socket.IPPROTO_TCP, option, value)

    def fileno(self) -> int:
        return self.connection.fileno()

    def say(self, *words: object) -> None:
        """Sends a line; one to who is gone is lost, which reading will tell."""
        try:
            self.connection.sendall(f"{' '.join(map(str, words))}\n".encode())
        except OSError:
            return

    def hear(self, timeout: float | None = None) -> list[str] | None:
        """The words of the next line, or None from who has gone or is no worker.

        Raises:
            TimeoutError: If none comes in time.

        """
        self.connection.settimeout(timeout)
        while b"\n" not in self._rest:
            try:
                more = self.connection.recv(_LONGEST)
            except TimeoutError as error:
                if error.errno is not None:  # asked, and did not answer
                    return None
                raise
            except OSError:
                return None
            if not more or len(self._rest) > _LONGEST:
                return None
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace").split()

    @property
    def has_more(self) -> bool:
        """Whether the next line is here already."""
        return b"\n" in self._rest

    def hang_up(self) -> None:
        """Ends it for both, also for who is reading."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.connection.close()


def meet(cluster: Cluster, timeout: float) -> dict[int, Line]:
    """Waits until all workers are there.

    TensorFlow waits for an hour for one that is missing, and then aborts; this has
    to come before.

    Args:
        cluster: Who is to come.
        timeout: Seconds to wait.

    Returns:
        The connections: to all others at the first worker, to the first at the others.

    Raises:
        TimeoutError: If one does not come, with its address.
        OSError: If this worker's port is taken.

    """
    deadline = time.monotonic() + timeout
    if cluster.index > 0:
        _open(cluster).close()  # TensorFlow will, and says less when it cannot
        return {0: _join(cluster, deadline, timeout)}
    lines: dict[int, Line] = {}
    with _open(cluster) as door:
        while len(lines) + 1 < len(cluster.addresses):
            door.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                connection, _ = door.accept()
            except TimeoutError:
                absent = set(range(1, len(cluster.addresses))) - set(lines)
                missing = [cluster.addresses[index] for index in sorted(absent)]
                for line in lines.values():
                    line.say("missing", *missing)
                    line.close()
                raise _missing(cluster, missing, timeout) from None
            index = _greeted(Line(connection), cluster, lines)
            if index is None:
                connection.close()
    for line in lines.values():
        line.say("go")
    return lines


def _open(cluster: Cluster) -> socket.socket:
    """This worker's port, where the first one lets the others in."""
    port = port_of(cluster.address)
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    try:
        return socket.create_server(("", port), family=family, dualstack_ipv6=dual)
    except OSError as error:
        raise OSError(
            f"Worker {cluster.index} must be able to open its port, which TF_CONFIG "
            f"gives as {cluster.address}. Received: {error.strerror}. Is another "
            "worker, or an earlier run, at it?"
        ) from error


def _greeted(line: Line, cluster: Cluster, lines: dict[int, Line]) -> int | None:
    """Which worker it is; None for a stranger, and one of another cluster."""
    try:
        greeting = line.hear(_GREETING_TIME)
    except TimeoutError:
        return None
    for index in range(1, len(cluster.addresses)):
        if greeting == [*_password(cluster), str(index)]:
            if index in lines:  # it has been started again
                lines[index].close()
            lines[index] = line
            return index
    if greeting and greeting[:1] == _password(cluster)[:1]:
        line.say("other", *cluster.addresses)
    return None


def _join(cluster: Cluster, deadline: float, timeout: float) -> Line:
    """The connection to the first worker, once all are there."""
    first = cluster.addresses[0]
    said = "nothing listens there"
    while (left := deadline - time.monotonic()) > 0:
        line = None
        try:
            address = (host_of(first), port_of(first))
            line = Line(socket.create_connection(address, min(left, _GREETING_TIME)))
            line.say(*_password(cluster), cluster.index)
            # The first worker may have started later, and waits as long as this one.
            answer = line.hear(timeout + _GREETING_TIME)
        except OSError as error:
            said, answer = str(error), None
        else:
            said = "what listens there is no worker of this run"
        if line is not None and answer == ["go"]:
            return line
        if line is not None:
            line.close()
        if answer:
            raise _turned_away(cluster, answer, timeout)
        time.sleep(min(_PAUSE, max(deadline - time.monotonic(), 0)))
    raise _missing(cluster, [first], timeout, said)


def _turned_away(cluster: Cluster, answer: list[str], timeout: float) -> Exception:
    """Why the first worker does not go on with this one."""
    first = cluster.addresses[0]
    if answer[0] == "missing":
        return _missing(cluster, answer[1:], timeout)
    if answer[0] == "other":
        return ValueError(
            "TF_CONFIG must name the same cluster on each worker. Received: "
            f"{', '.join(cluster.addresses)} on worker {cluster.index}, but "
            f"{', '.join(answer[1:])} on worker 0, {first}"
        )
    said = f"it answered {' '.join(answer)!r}"
    return _missing(cluster, [first], timeout, said)


def _password(cluster: Cluster) -> list[str]:
    digest = hashlib.sha256(" ".join(cluster.addresses).encode()).hexdigest()
    return ["keras_cait", digest]


def _missing(
    cluster: Cluster, addresses: list[str], timeout: float, said: str = ""
) -> TimeoutError:
    number = len(cluster.addresses)
    return TimeoutError(
        f"Worker {cluster.index}, {cluster.address}, waited {timeout:g} s for all "
        f"{number} workers that TF_CONFIG names. Received no answer from "
        f"{', '.join(addresses)}{f' ({said})' if said else ''}. Start what is missing, "
        "let its port through the firewall, or correct its address on each worker."
    )
