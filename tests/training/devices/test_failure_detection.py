"""Workers that are watched: whatever one sends, its end is noticed."""

import json
import os
import random
import subprocess
import sys

from tests.support.training.cluster_processes import LONGEST, ROOT


def watch_all(*cases):
    """How each worker ended that watched another one, as `watched` gives it."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.support.training.watched"],
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
    yield from (b"alive now\n", b"bye now\n", b"ask 1\n", b"heard 1\n", b"Bye\n")
    for word in (b"lost", b"end", b"has", b"differ 1"):
        for rest in (b"\n", b" x\n", b" 1 2 x\n", b" 99\n", b" -1\n", b" 1e3\n"):
            if word + rest not in VALID:
                yield word + rest
    for _ in range(60):
        yield draw.randbytes(draw.randrange(1, 100)) + b"\n"


VALID = {b"end 99\n", b"end -1\n", b"has x\n", b"has 99\n", b"has -1\n", b"has 1e3\n"}
VALID |= {b"differ 1\n", b"alive\n", b"heard\n", b"ask\n"}


QUICK = {"sign": 0.2, "silence": 1.0}
SIGNS = sent(*[b"alive\n"] * 15)
# What is done, and how the one that watches ends.
CASES = [
    *(
        ({"sends": sent(message)}, expected(1, "has sent what is no message"))
        for message in malformed()
    ),
    *(
        ({"sends": sent(message)}, expected(1, "is gone"))
        for message in sorted(VALID - {b"differ 1\n"})
    ),
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
        {"sends": SIGNS[:2], "then": "stands", **QUICK},
        expected(1, "does not answer"),
    ),
    ({"sends": SIGNS, "then": "says bye", **QUICK}, [0, ""]),
    ({"sends": SIGNS, "then": "this one stands", **QUICK}, [0, ""]),
]


def test_ends_of_workers_are_noticed():
    """Whatever they send before, and in one line."""
    found = watch_all(*(options for options, _ in CASES))
    for (options, ends), end in zip(CASES, found, strict=True):
        assert end == ends, options
