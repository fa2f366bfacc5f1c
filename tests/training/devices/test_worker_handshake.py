"""Workers connect to each other; strangers at their port change nothing."""

import contextlib
import random
import re
import socket
import threading
import time
from dataclasses import replace

import pytest

from keras_cait.training.devices.cluster import Cluster
from keras_cait.training.devices.worker_connection import SHORT
from keras_cait.training.devices.worker_handshake import _proof, connect_workers
from tests.support.training.cluster_processes import free_ports


def clusters(count, secret="secret"):
    addresses = tuple(f"localhost:{port}" for port in free_ports(count))
    return [Cluster(addresses, index, secret) for index in range(count)]


def connect(*cluster_and_timeout, pause=0.2):
    """The connections or the error of each worker, a thread here."""
    found = {}

    def run(cluster, timeout):
        try:
            found[cluster.index] = connect_workers(cluster, timeout)
        except (OSError, ValueError) as error:
            found[cluster.index] = error

    threads = [threading.Thread(target=run, args=a) for a in cluster_and_timeout]
    for thread in threads:
        thread.start()
        time.sleep(pause)
    for thread in threads:
        thread.join(30)
    return found


def close(found):
    for connections in found.values():
        for connection in connections.values():
            connection.close()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_workers_connect_in_any_order(order):
    workers = clusters(3)
    found = connect(*((workers[index], 20) for index in order))
    assert {index: set(connections) for index, connections in found.items()} == {
        0: {1, 2},
        1: {0},
        2: {0},
    }
    found[1][0].send("hello", 1)
    found[0][1].send("hello", 2)
    assert found[0][1].receive_line(time.monotonic() + 5) == ["hello", "1"]
    assert found[1][0].receive() == [["hello", "2"]]
    close(found)


def test_a_missing_worker_is_named_to_all_others():
    workers = clusters(3)
    found = connect((workers[0], 1), (workers[1], 20))
    for index, seconds in ((0, 1), (1, 20)):
        assert isinstance(found[index], TimeoutError)
        assert re.search(
            f"Worker {index}, .* waited {seconds} s .*no answer from "
            f"{workers[2].address}. Start",
            str(found[index]),
        )


def test_a_missing_first_worker_is_named():
    workers = clusters(2)
    started = time.monotonic()
    found = connect((workers[1], 0.5))
    assert time.monotonic() - started < 5
    expected = f"no answer from {workers[0].address} .*refused"
    assert re.search(expected, str(found[1]))


def test_a_taken_port_is_named():
    workers = clusters(2)
    with socket.create_server(("", port_of(workers[0]))):
        found = connect((workers[0], 1))
    assert re.search(f"open its port.*{workers[0].address}.*in use", str(found[0]))


def port_of(cluster):
    return int(cluster.address.split(":")[1])


OTHERS = {
    "another secret": lambda cluster: replace(cluster, secret="another"),
    "no secret": lambda cluster: replace(cluster, secret=""),
    "another cluster": lambda cluster: replace(
        cluster, addresses=(*cluster.addresses, "localhost:1")
    ),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_secret_or_cluster_is_refused(other):
    first, second = clusters(2)
    found = connect((first, 0.7), (other(second), 20))
    assert isinstance(found[1], ValueError)
    assert re.search("same cluster .*KERAS_CAIT_SECRET", str(found[1]))
    assert "secret'" not in str(found[1])
    assert isinstance(found[0], TimeoutError)


# Strangers at the first worker's port ------------------------------------------------


def call(port):
    """A connection to the first worker, once it listens."""
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("localhost", port), 5)
        time.sleep(0.02)
    raise TimeoutError


def read(stranger):
    """All bytes that a stranger receives."""
    received = b""
    with contextlib.suppress(OSError):
        while more := stranger.recv(1000):
            received += more
    return received


def connect_beside(stranger, first, *others):
    """Workers connect after a stranger did: connections, seconds, stranger's result.

    The stranger is a generator: given a port, it connects before its `yield`.
    """
    found = {}
    started = time.monotonic()
    waiting = threading.Thread(target=lambda: found.update(connect(first, pause=0)))
    waiting.start()
    steps = stranger(port_of(first[0]))
    received = next(steps)
    found |= connect(*others, pause=0)
    waiting.join(30)
    took = time.monotonic() - started
    steps.close()
    return found, took, received


def dripping(port):
    """Sends a byte of a line that does not end, again and again."""

    def drip():
        with contextlib.suppress(OSError):
            while True:
                stranger.sendall(b"x")
                time.sleep(0.05)

    with call(port) as stranger:
        threading.Thread(target=drip, daemon=True).start()
        yield


def silent(port):
    """Five that send nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(call(port))
        yield


def many(port):
    """More than stay connected at once."""
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(call(port))
        yield


@pytest.mark.parametrize("stranger", [dripping, silent, many])
def test_strangers_do_not_delay_workers(stranger):
    workers = clusters(2)
    found, took, _ = connect_beside(stranger, *((worker, 20) for worker in workers))
    assert set(found[0]) == {1}
    assert set(found[1]) == {0}
    close(found)
    assert took < SHORT  # the time limit of a stranger


@pytest.mark.parametrize("stranger", [dripping, silent])
def test_strangers_do_not_extend_the_timeout(stranger):
    workers = clusters(3)
    found, took, _ = connect_beside(stranger, (workers[0], 1), (workers[1], 20))
    assert isinstance(found[0], TimeoutError)
    assert workers[2].address in str(found[1])
    assert took < SHORT


def greetings():
    """Lines that strangers send: valid, nearly valid and random."""
    proof = "0" * 64
    draw = random.Random(0)
    yield from (b"\n", b" \n", b"keras_cait\n", b"GET / HTTP/1.1\r\n\r\n", b"go\n")
    yield from (b"\x00\x01\n", b"\xff\xfe\n", "ключ ключ\n".encode(), b"1" * 200_000)
    for line in (
        f"keras_cait {proof} 1",
        f"{proof} {proof}",
        f"1 {proof}",
        f"1 {proof} 1",
    ):
        yield f"{line}\n".encode()
    for _ in range(100):
        yield draw.randbytes(draw.randrange(1, 300)) + b"\n"


def test_strangers_receive_a_challenge_alone():
    workers = clusters(2)

    def sends_greetings(port):
        received = []
        for greeting in greetings():
            with call(port) as stranger:
                with contextlib.suppress(OSError):
                    stranger.sendall(greeting)
                    stranger.shutdown(socket.SHUT_WR)
                received.append(read(stranger))
        yield received

    found, _, received = connect_beside(
        sends_greetings, *((worker, 20) for worker in workers)
    )
    assert set(found[0]) == {1}
    for text in received:
        assert re.fullmatch(rb"([0-9a-f]{32}\n(refused\n)?)?", text), text
    assert len(set(received)) > 100  # each got another challenge
    close(found)


def test_a_replayed_proof_is_refused():
    workers = clusters(2)

    def repeats(port):
        with call(port) as worker, call(port) as stranger:
            challenge = worker.recv(100).decode().strip()
            greeting = f"own {_proof(workers[0], 1, challenge, 'own')}\n".encode()
            # The stranger first: once the worker is connected, the handshake ends.
            stranger.sendall(greeting)
            received = read(stranger)
            worker.sendall(greeting)
            yield worker.recv(100), received

    found, _, (welcome, received) = connect_beside(repeats, (workers[0], 5))
    assert set(found[0]) == {1}
    assert re.fullmatch(rb"[0-9a-f]{64}\n", welcome)
    assert re.fullmatch(rb"[0-9a-f]{32}\nrefused\n", received)
    close(found)


# Strangers in the place of the first worker ------------------------------------------


def test_a_stranger_in_place_of_the_first_worker_is_refused():
    workers = clusters(2)
    challenge, proof = "0" * 32, "0" * 64
    answers = [
        *(b"", b"\n", b"go\n", b"go\ngo\ngo\n", b"a b c\n", b"missing 1\n"),
        *(f"{challenge}\ngo\ngo\n".encode(), f"{challenge}\n{proof}\ngo\n".encode()),
        *(b"\xff\n", b"x" * 200_000),
    ]
    with socket.create_server(("localhost", port_of(workers[0]))) as stranger:
        answering = threading.Thread(target=answer_all, args=(stranger, answers))
        answering.start()
        found = connect((workers[1], 4), pause=0)
        answering.join()
    assert not answers
    assert isinstance(found[1], TimeoutError)
    assert re.search(f"waited 4 s .*{workers[0].address} .what listens", str(found[1]))


def answer_all(server, answers):
    """Sends the last answer to the next caller, then the one before it."""
    server.settimeout(1)
    with contextlib.suppress(TimeoutError):
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(answers.pop() if answers else b"")
                connection.recv(100)
