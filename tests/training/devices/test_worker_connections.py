"""Workers that connect to each other, whoever else connects to their port."""

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
from keras_cait.training.devices.worker_connections import _proof, meet
from tests.support.training.cluster_processes import free_ports


def clusters(count, secret="secret"):
    addresses = tuple(f"localhost:{port}" for port in free_ports(count))
    return [Cluster(addresses, index, secret) for index in range(count)]


def meeting(*cluster_and_timeout, pause=0.2):
    """What each of the workers, threads here, gets: connections, or an error."""
    found = {}

    def come(cluster, timeout):
        try:
            found[cluster.index] = meet(cluster, timeout)
        except (OSError, ValueError) as error:
            found[cluster.index] = error

    threads = [threading.Thread(target=come, args=a) for a in cluster_and_timeout]
    for thread in threads:
        thread.start()
        time.sleep(pause)
    for thread in threads:
        thread.join(30)
    return found


def close(found):
    for line in (line for lines in found.values() for line in lines.values()):
        line.close()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_workers_meet_in_any_order(order):
    workers = clusters(3)
    found = meeting(*((workers[index], 20) for index in order))
    assert {index: set(lines) for index, lines in found.items()} == {
        0: {1, 2},
        1: {0},
        2: {0},
    }
    found[1][0].send("hello", 1)
    found[0][1].send("hello", 2)
    assert found[0][1].receive_line(time.monotonic() + 5) == ["hello", "1"]
    assert found[1][0].receive() == [["hello", "2"]]
    close(found)


def test_everyone_is_told_who_is_missing():
    workers = clusters(3)
    found = meeting((workers[0], 1), (workers[1], 20))
    for index, seconds in ((0, 1), (1, 20)):
        assert isinstance(found[index], TimeoutError)
        assert re.search(
            f"Worker {index}, .* waited {seconds} s .*no answer from "
            f"{workers[2].address}. Start",
            str(found[index]),
        )


def test_the_first_worker_is_missing():
    workers = clusters(2)
    started = time.monotonic()
    found = meeting((workers[1], 0.5))
    assert time.monotonic() - started < 5
    expected = f"no answer from {workers[0].address} .*refused"
    assert re.search(expected, str(found[1]))


def test_a_port_that_is_taken():
    workers = clusters(2)
    with socket.create_server(("", port_of(workers[0]))):
        found = meeting((workers[0], 1))
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
def test_workers_that_do_not_belong_together(other):
    first, second = clusters(2)
    found = meeting((first, 0.7), (other(second), 20))
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
    """All that a stranger is told."""
    told = b""
    with contextlib.suppress(OSError):
        while more := stranger.recv(1000):
            told += more
    return told


def beside(stranger, first, *others):
    """How workers meet beside a stranger that comes first, and how long it takes.

    The stranger is a generator: given a port, it connects before its `yield`.
    """
    found = {}
    started = time.monotonic()
    waiting = threading.Thread(target=lambda: found.update(meeting(first, pause=0)))
    waiting.start()
    steps = stranger(port_of(first[0]))
    told = next(steps)
    found |= meeting(*others, pause=0)
    waiting.join(30)
    took = time.monotonic() - started
    steps.close()
    return found, took, told


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
    """Five that say nothing."""
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(call(port))
        yield


def many(port):
    """More than are listened to at once."""
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(call(port))
        yield


@pytest.mark.parametrize("stranger", [dripping, silent, many])
def test_strangers_keep_nobody_waiting(stranger):
    workers = clusters(2)
    found, took, _ = beside(stranger, *((worker, 20) for worker in workers))
    assert set(found[0]) == {1}
    assert set(found[1]) == {0}
    close(found)
    assert took < SHORT  # which is what a stranger is given


@pytest.mark.parametrize("stranger", [dripping, silent])
def test_strangers_do_not_put_off_the_end_of_the_wait(stranger):
    workers = clusters(3)
    found, took, _ = beside(stranger, (workers[0], 1), (workers[1], 20))
    assert isinstance(found[0], TimeoutError)
    assert workers[2].address in str(found[1])
    assert took < SHORT


def greetings():
    """What strangers send: what they may know, and what they may not know."""
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


def test_strangers_are_told_nothing():
    workers = clusters(2)

    def sends_greetings(port):
        told = []
        for greeting in greetings():
            with call(port) as stranger:
                with contextlib.suppress(OSError):
                    stranger.sendall(greeting)
                    stranger.shutdown(socket.SHUT_WR)
                told.append(read(stranger))
        yield told

    found, _, told = beside(sends_greetings, *((worker, 20) for worker in workers))
    assert set(found[0]) == {1}
    for text in told:
        assert re.fullmatch(rb"([0-9a-f]{32}\n(refused\n)?)?", text), text
    assert len(set(told)) > 100  # each is asked another question
    close(found)


def test_a_greeting_that_was_overheard_is_of_no_use():
    workers = clusters(2)

    def repeats(port):
        with call(port) as worker, call(port) as stranger:
            challenge = worker.recv(100).decode().strip()
            greeting = f"own {_proof(workers[0], 1, challenge, 'own')}\n".encode()
            # The stranger first: once the worker is known, nobody else is heard.
            stranger.sendall(greeting)
            told = read(stranger)
            worker.sendall(greeting)
            yield worker.recv(100), told

    found, _, (welcome, told) = beside(repeats, (workers[0], 5))
    assert set(found[0]) == {1}
    assert re.fullmatch(rb"[0-9a-f]{64}\n", welcome)
    assert re.fullmatch(rb"[0-9a-f]{32}\nrefused\n", told)
    close(found)


# Strangers in the place of the first worker ------------------------------------------


def test_a_stranger_is_not_taken_for_the_first_worker():
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
        found = meeting((workers[1], 4), pause=0)
        answering.join()
    assert not answers
    assert isinstance(found[1], TimeoutError)
    assert re.search(f"waited 4 s .*{workers[0].address} .what listens", str(found[1]))


def answer_all(server, answers):
    """Gives the last answer to who calls, then the one before it."""
    server.settimeout(1)
    with contextlib.suppress(TimeoutError):
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(answers.pop() if answers else b"")
                connection.recv(100)
