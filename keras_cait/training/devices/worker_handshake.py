"""Connects and authenticates the workers of a training run before it starts.

Each worker connects to the first one. Both prove that they know the addresses in
TF_CONFIG and the secret in KERAS_CAIT_SECRET: each sends the HMAC of a random number
that the other one has drawn. A stranger learns nothing and cannot pass for a worker.

The engines do not replace this: TensorFlow 2.21 waits for an hour for a missing worker
and then aborts the process, and neither TensorFlow nor JAX authenticates workers.
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
_MOST = 100  # open connections that have not been authenticated yet


def connect_workers(cluster: Cluster, timeout: float) -> dict[int, Connection]:
    """Waits until all workers are connected, for `timeout` seconds at most.

    Returns the connections by worker: to all others at the first worker, to the first
    one at the others. Raises `TimeoutError` with the address of a missing worker,
    `ValueError` if the first worker has another TF_CONFIG or secret, and `OSError` if
    this worker's port is taken.
    """
    deadline = time.monotonic() + timeout
    if cluster.index > 0:
        _open_port(cluster).close()  # the engine opens it later, with a worse error
        return {0: _connect_to_first(cluster, deadline, timeout)}
    with _open_port(cluster) as server:
        found = _accept_workers(cluster, server, deadline)
    missing = sorted(set(range(1, len(cluster.addresses))) - set(found))
    for connection in found.values():
        connection.send("missing" if missing else "go", *missing)
        if missing:
            connection.close()
    if missing:
        raise _missing_error(cluster, missing, timeout)
    return found


def _open_port(cluster: Cluster) -> socket.socket:
    port = port_of(cluster.address)
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    try:
        return socket.create_server(("", port), family=family, dualstack_ipv6=dual)
    except OSError as error:
        raise OSError(
            f"Worker {cluster.index} must be able to open its port, which TF_CONFIG "
            f"gives as {cluster.address}. Received: {error.strerror}. Does another "
            "worker, or an earlier run, use it?"
        ) from error


def _accept_workers(
    cluster: Cluster, server: socket.socket, deadline: float
) -> dict[int, Connection]:
    """The authenticated workers, once all are there or at the deadline.

    A thread for each connection, so that no stranger delays the workers.
    """
    workers: dict[int, Connection] = {}
    pending: list[Connection] = []  # the oldest first
    lock, is_closed = threading.Lock(), False

    def add(connection: Connection) -> None:
        index = _authenticated_index(cluster, connection)
        with lock:
            pending.remove(connection)
            if index is None or is_closed:
                connection.close()
                return
            if index in workers:  # it has been started again
                workers[index].close()
            workers[index] = connection

    while True:
        left = deadline - time.monotonic()
        with lock:
            if len(workers) + 1 == len(cluster.addresses) or left <= 0:
                is_closed = True
                return workers
            for connection in pending[:-_MOST]:
                connection.shut_down()
        server.settimeout(min(left, _PAUSE))
        try:
            connection = Connection(server.accept()[0])
        except OSError:  # nobody connected, or has disconnected already
            continue
        with lock:
            pending.append(connection)
        threading.Thread(target=add, args=(connection,), daemon=True).start()


def _authenticated_index(cluster: Cluster, connection: Connection) -> int | None:
    """Index of the worker that has connected; None for a stranger."""
    challenge = secrets.token_hex(16)
    connection.send(challenge)
    match connection.receive_line(time.monotonic() + SHORT):
        case [own, proof]:
            for index in range(1, len(cluster.addresses)):
                expected = _proof(cluster, index, challenge, own)
                if hmac.compare_digest(proof, expected):
                    connection.send(_proof(cluster, 0, own, challenge))
                    return index
            connection.send("refused")
    return None


def _connect_to_first(cluster: Cluster, deadline: float, timeout: float) -> Connection:
    """The authenticated connection to the first worker, once all workers are there."""
    first = cluster.addresses[0]
    reason = "nothing listens there"
    while (left := deadline - time.monotonic()) > 0:
        address = (host_of(first), port_of(first))
        try:
            connection = Connection(socket.create_connection(address, min(left, SHORT)))
        except OSError as error:
            reason = str(error)
        else:
            response = _response_of_first(cluster, connection, deadline, timeout)
            if response == ["go"]:
                return connection
            connection.close()
            reason = "what listens there is no worker of this run"
            match response:
                case ["refused"]:
                    raise ValueError(
                        "TF_CONFIG must name the same cluster on each worker, and "
                        "KERAS_CAIT_SECRET be the same. Received: worker 0, "
                        f"{first}, has others than worker {cluster.index}, which has "
                        f"{', '.join(cluster.addresses)}. Correct them on each worker."
                    )
                case ["missing", *numbers]:
                    raise _missing_error(cluster, list(map(int, numbers)), timeout)
        time.sleep(min(_PAUSE, max(deadline - time.monotonic(), 0)))
    raise _missing_error(cluster, [0], timeout, f" ({reason})")


def _response_of_first(
    cluster: Cluster, connection: Connection, deadline: float, timeout: float
) -> list[str] | None:
    """The first worker's last line: go, refused or missing; None from a stranger."""
    handshake_end = min(time.monotonic() + SHORT, deadline)
    challenge = connection.receive_line(handshake_end)
    if challenge is None or len(challenge) != 1:
        return None
    own = secrets.token_hex(16)
    connection.send(own, _proof(cluster, cluster.index, challenge[0], own))
    response = connection.receive_line(handshake_end)
    if response == ["refused"]:
        return response
    if response != [_proof(cluster, 0, own, challenge[0])]:
        return None
    # The first worker may have started later, and waits for as long as this one.
    return connection.receive_line(time.monotonic() + timeout + SHORT)


def _proof(cluster: Cluster, index: int, challenge: str, own: str) -> str:
    """HMAC that only a worker of this cluster can compute, for this challenge only."""
    known = "\n".join([cluster.secret, *cluster.addresses]).encode()
    key = hashlib.sha256(known).digest()
    text = f"keras_cait 1 {index} {challenge} {own}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _missing_error(
    cluster: Cluster, indices: list[int], timeout: float, reason: str = ""
) -> TimeoutError:
    addresses = ", ".join(cluster.addresses[index] for index in indices)
    return TimeoutError(
        f"Worker {cluster.index}, {cluster.address}, waited {timeout:g} s for all "
        f"{len(cluster.addresses)} workers that TF_CONFIG names. Received no answer "
        f"from {addresses}{reason}. Start the missing workers, let their ports through "
        "the firewall, or correct their addresses on each worker."
    )
