"""Workers that wait for each other."""

import contextlib
import re
import socket
import threading
import time

import pytest

from keras_cait.training.cluster import Cluster
from keras_cait.training.meeting import meet
from tests.training.cluster_processes import free_ports


def clusters(count):
    addresses = tuple(f"localhost:{port}" for port in free_ports(count))
    return [Cluster(addresses, index) for index in range(count)]


def meeting(*cluster_and_timeout):
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
        time.sleep(0.2)
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
    found[1][0].say("hello", 1)
    assert found[0][1].hear(5) == ["hello", "1"]
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


def test_a_stranger_at_the_first_workers_port():
    workers = clusters(2)
    port = int(workers[0].address.split(":")[1])
    with socket.create_server(("localhost", port)) as stranger:
        answering = threading.Thread(target=lambda: hang_up(stranger))
        answering.start()
        found = meeting((workers[1], 0.5))
        answering.join()
    assert isinstance(found[1], TimeoutError)
    expected = f"{workers[0].address} .what listens there is no worker"
    assert re.search(expected, str(found[1]))


def hang_up(server):
    """On all who call in a second."""
    server.settimeout(0.5)
    try:
        while True:
            connection, _ = server.accept()
            connection.recv(100)
            connection.close()
    except TimeoutError:
        return


def test_strangers_do_not_disturb_the_first_worker():
    workers = clusters(2)
    port = int(workers[0].address.split(":")[1])

    def disturb():
        for _ in range(50):
            time.sleep(0.02)
            with (
                contextlib.suppress(ConnectionRefusedError),
                socket.create_connection(("localhost", port)) as stranger,
            ):
                stranger.sendall(b"GET / HTTP/1.1\n")
                return

    disturbing = threading.Thread(target=disturb)
    disturbing.start()
    found = meeting((workers[0], 20), (workers[1], 20))
    disturbing.join()
    assert set(found[0]) == {1}
    close(found)


def test_a_port_that_is_taken():
    workers = clusters(2)
    port = int(workers[0].address.split(":")[1])
    with socket.create_server(("", port)):
        found = meeting((workers[0], 1))
    assert re.search(f"open its port.*{workers[0].address}.*in use", str(found[0]))


def test_workers_of_two_clusters():
    workers = clusters(2)
    other = Cluster((workers[0].address, "localhost:1"), 1)
    other = Cluster((*other.addresses[:1], workers[1].address, "localhost:1"), 1)
    found = meeting((workers[0], 2), (other, 2))
    assert "must name the same cluster" in str(found[1])
    assert isinstance(found[0], TimeoutError)
