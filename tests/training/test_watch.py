"""Workers that are watched: whatever one sends, its end is noticed."""

import json
import os
import random
import subprocess
import sys

from tests.training.cluster_processes import LONGEST, ROOT


def watch_all(*cases):
    """How each worker ended that watched another one, as `watched` gives it."""
    found = subprocess.run(
        [sys.executable, "-m", "tests.training.watched"],
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
VALID |= {b"has 1e3\n", b"differ 1\n", b"alive\n", b"heard\n", b"ask\n"}


def test_what_is_no_message_ends_the_worker():
    """In one line, whatever it is; and the watch outlives nothing unseen."""
    messages = list(malformed())
    ended = watch_all(*({"sends": sent(message)} for message in messages))
    for message, found in zip(messages, ended, strict=True):
        assert found == expected(1, "has sent what is no message"), message


def test_ends_of_workers_are_noticed():
    """After any message; and what the first worker says of another one."""
    signs = [b"alive\n"] * 15
    quick = {"sign": 0.2, "silence": 1.0}
    cases = [
        *({"sends": sent(message)} for message in sorted(VALID - {b"differ 1\n"})),
        {"sends": sent(b"ali", b"ve\n", b"alive\nali", b"ve\n")},
        {"sends": sent(b"lost 2 gone\n"), "index": 1, "other": 0},
        {"sends": sent(b"alive\n"), "index": 2, "other": 0},
        {"sends": sent(*signs[:2]), "then": "stands", **quick},
        {"sends": sent(*signs), "then": "says bye", **quick},
        {"sends": sent(*signs), "then": "this one stands", **quick},
    ]
    *dead, told, first, stands, speaks, stood = watch_all(*cases)
    assert dead == [expected(1, "is gone")] * len(dead)
    assert told == expected(2, "is gone", index=1)
    assert first == expected(0, "is gone", index=2)
    assert stands == expected(1, "does not answer")
    assert speaks == stood == [0, ""]
