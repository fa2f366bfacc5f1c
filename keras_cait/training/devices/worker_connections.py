"""Connections between the workers of a training: opened and authenticated at the start.

Each worker connects to the first one. Both prove that they know the addresses of
TF_CONFIG and the secret of KERAS_CAIT_SECRET, by the HMAC of a number that the other
one has drawn. Nothing is told to who cannot, and nobody else can take a worker's place.
"""

import hashlib
import hmac
import secrets
import socket
import threading
import time

from keras_cait.training.devices.cluster import Cluster, host_of, port_of
from keras_cait.training.devices.worker_connection import SHORT, Connection

_PAUSE = 0.2  # seconds between two attempts
_MOST = 100  # connections at once that have not proved anything


def meet(cluster: Cluster, timeout: float) -> dict[int, Connection]:
    """Waits until all workers are connected.

    TensorFlow waits for an hour for one that is missing, and then aborts; this has
    to come before.

    Args:
        cluster: The workers.
        timeout: Seconds to wait, whoever else connects.

    Returns:
        The connections: to all others at the first worker, to the first at the others.

    Raises:
        TimeoutError: If one does not come, with its address.
        ValueError: If the first worker has another TF_CONFIG or secret.
        OSError: If this worker's port is taken.

    """
    deadline = time.monotonic() + timeout
    if cluster.index > 0:
        _open(cluster).close()  # TensorFlow will, and says less when it cannot
        return {0: _join(cluster, deadline, timeout)}
    with _open(cluster) as door:
        found = _admit(cluster, door, deadline)
    missing = sorted(set(range(1, len(cluster.addresses))) - set(found))
    for connection in found.values():
        connection.send("missing" if missing else "go", *missing)
        if missing:
            connection.close()
    if missing:
        raise _missing(cluster, missing, timeout)
    return found


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


def _admit(
    cluster: Cluster, door: socket.socket, deadline: float
) -> dict[int, Connection]:
    """The workers that have come when all have, or at the deadline.

    Each caller is greeted in a thread, so that none keeps the others waiting.
    """
    workers: dict[int, Connection] = {}
    pending: list[Connection] = []  # the oldest first
    lock, is_closed = threading.Lock(), False

    def greet(caller: Connection) -> None:
        index = _greeted(cluster, caller)
        with lock:
            pending.remove(caller)
            if index is None or is_closed:
                caller.close()
                return
            if index in workers:  # it has been started again
                workers[index].close()
            workers[index] = caller

    while True:
        left = deadline - time.monotonic()
        with lock:
            if len(workers) + 1 == len(cluster.addresses) or left <= 0:
                is_closed = True
                return workers
            for caller in pending[:-_MOST]:
                caller.shut_down()
        door.settimeout(min(left, _PAUSE))
        try:
            caller = Connection(door.accept()[0])
        except OSError:  # nobody called, or has hung up already
            continue
        with lock:
            pending.append(caller)
        threading.Thread(target=greet, args=(caller,), daemon=True).start()


def _greeted(cluster: Cluster, caller: Connection) -> int | None:
    """Which worker it is, if it can prove that."""
    challenge = secrets.token_hex(16)
    caller.send(challenge)
    match caller.receive_line(time.monotonic() + SHORT):
        case [own, proof]:
            for index in range(1, len(cluster.addresses)):
                expected = _proof(cluster, index, challenge, own)
                if hmac.compare_digest(proof, expected):
                    caller.send(_proof(cluster, 0, own, challenge))
                    return index
            caller.send("refused")
    return None


def _join(cluster: Cluster, deadline: float, timeout: float) -> Connection:
    """The connection to the first worker, once all are there."""
    first = cluster.addresses[0]
    said = "nothing listens there"
    while (left := deadline - time.monotonic()) > 0:
        address = (host_of(first), port_of(first))
        try:
            call = socket.create_connection(address, min(left, SHORT))
        except OSError as error:
            said = str(error)
        else:
            connection = Connection(call)
            answer = _call(cluster, connection, deadline, timeout)
            if answer == ["go"]:
                return connection
            connection.close()
            said = "what listens there is no worker of this run"
            match answer:
                case ["refused"]:
                    raise ValueError(
                        "TF_CONFIG must name the same cluster on each worker, and "
                        "KERAS_CAIT_SECRET be the same. Received: worker 0, "
                        f"{first}, has others than worker {cluster.index}, which has "
                        f"{', '.join(cluster.addresses)}. Correct them on each worker."
                    )
                case ["missing", *numbers]:
                    raise _missing(cluster, list(map(int, numbers)), timeout)
        time.sleep(min(_PAUSE, max(deadline - time.monotonic(), 0)))
    raise _missing(cluster, [0], timeout, said)


def _call(
    cluster: Cluster, first: Connection, deadline: float, timeout: float
) -> list[str] | None:
    """What the first worker answers, once all are there; None from another one."""
    greeted = min(time.monotonic() + SHORT, deadline)
    challenge = first.receive_line(greeted)
    if challenge is None or len(challenge) != 1:
        return None
    own = secrets.token_hex(16)
    first.send(own, _proof(cluster, cluster.index, challenge[0], own))
    answer = first.receive_line(greeted)
    if answer == ["refused"]:
        return answer
    if answer != [_proof(cluster, 0, own, challenge[0])]:
        return None
    # The first worker may have started later, and waits as long as this one.
    return first.receive_line(time.monotonic() + timeout + SHORT)


def _proof(cluster: Cluster, index: int, challenge: str, own: str) -> str:
    """What only a worker of this cluster can say, and only in answer to a challenge."""
    known = "\n".join([cluster.secret, *cluster.addresses]).encode()
    key = hashlib.sha256(known).digest()
    text = f"keras_cait 1 {index} {challenge} {own}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _missing(
    cluster: Cluster, indices: list[int], timeout: float, said: str = ""
) -> TimeoutError:
    number = len(cluster.addresses)
    return TimeoutError(
        f"Worker {cluster.index}, {cluster.address}, waited {timeout:g} s for all "
        f"{number} workers that TF_CONFIG names. Received no answer from "
        f"{', '.join(cluster.addresses[index] for index in indices)}"
        f"{f' ({said})' if said else ''}. Start what is missing, let its port through "
        "the firewall, or correct its address on each worker."
    )
