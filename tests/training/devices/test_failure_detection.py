"""A lost worker is detected, whatever it has sent before."""

import json
import os
import random
import subprocess
import sys

from tests.support.training.cluster_processes import LONGEST, ROOT


def detect_all(*cases):
    """Exit code and standard error of a worker in each case."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.support.training.detecting_worker"],
        cwd=ROOT,
        input=json.dumps(cases),
        text=True,
        env={**os.environ, "KERAS_BACKEND": "numpy"},  # which starts soonest
        stdout=subprocess.PIPE,
        timeout=LONGEST,
        check=True,
    )
    return json.loads(found.stdout)


def sent(*messages):
    return [message.hex() for message in messages]


def expected(lost, why, index=0):
    addresses = ("zero:1", "one:2", "two:3")
    return [
        75,
        f"\nerror: worker {lost}, {addresses[lost]}, {why}, and worker {index}, "
        f"{addresses[index]}, cannot go on without it. Start all workers again, from "
        "the last checkpoint.\n",
    ]


def malformed():
    draw = random.Random(0)
    yield from (b"\n", b" \n", b"\x00\n", b"\xff\n", "ключ\n".encode(), b"GET / HTTP\n")
    yield from (b"x" * 70_000, b"alive" * 20_000, b"alive\n\n", b"alive\nalive\nno\n")
    yield from (b"alive now\n", b"bye now\n", b"Bye\n", b"lost\n", b"lost x\n")
    yield from (b"lost 2\n", b"lost 2 x\n", b"lost x gone\n", b"lost 99 gone\n")
    yield from (b"lost -1 gone\n", b"lost 1e3 gone\n", b"lost 2 gone now\n")
    for _ in range(60):
        yield draw.randbytes(draw.randrange(1, 100)) + b"\n"


QUICK = {"interval": 0.2, "timeout": 1.0}
HEARTBEATS = sent(*[b"alive\n"] * 15)
# Options of a case, and how the worker ends.
CASES = [
    *(
        ({"sends": sent(message)}, expected(1, "has sent an invalid message"))
        for message in malformed()
    ),
    ({"sends": []}, expected(1, "is gone")),
    ({"sends": sent(b"ali", b"ve\n", b"alive\nali", b"ve\n")}, expected(1, "is gone")),
    (
        {"sends": sent(b"lost 2 gone\n"), "index": 1, "other": 0},
        expected(2, "is gone", index=1),
    ),
    (
        {"sends": sent(b"alive\n"), "index": 2, "other": 0},
        expected(0, "is gone", index=2),
    ),
    (
        {"sends": HEARTBEATS[:2], "then": "stops", **QUICK},
        expected(1, "does not answer"),
    ),
    ({"sends": HEARTBEATS, "then": "leaves", **QUICK}, [0, ""]),
    ({"sends": HEARTBEATS, "then": "this one stops", **QUICK}, [0, ""]),
]


def test_a_lost_worker_ends_the_other_in_one_line():
    found = detect_all(*(options for options, _ in CASES))
    for (options, ends), end in zip(CASES, found, strict=True):
        assert end == ends, options
