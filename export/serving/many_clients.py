"""Requests of many clients to a model in this process, and their outcomes."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

BROKEN_EVERY = 50  # requests


@dataclass(frozen=True, kw_only=True)
class Load:
    """Results of a load test."""

    sent: int
    answered: int  # as by a single client, or refused as expected
    wrong: int  # requests with another answer
    lost: int  # requests with another error
    milliseconds: tuple[float, ...]  # of each answered request, sorted
    seconds: float  # of the whole test

    def percentile(self, percent: float) -> float:
        """A percentile of the durations in milliseconds; NaN if there are none."""
        if not self.milliseconds:
            return math.nan
        return float(np.percentile(self.milliseconds, percent))

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.sent} requests: {self.answered} right, {self.wrong} wrong, "
            f"{self.lost} lost; p50 {self.percentile(50):.1f} ms, p99 "
            f"{self.percentile(99):.1f} ms, {self.sent / self.seconds:.1f} a second"
        )


def send(
    model: Callable[..., dict[str, Any]],
    files: Sequence[bytes],
    *,
    requests: int = 1000,
    clients: int = 8,
) -> Load:
    """Sends requests to `serving_default` from several threads; `files` take turns."""
    if requests < 1 or clients < 1:
        raise ValueError(
            "`requests` and `clients` must be 1 or more. Received: "
            f"requests={requests}, clients={clients}"
        )
    expected = [_predict(model, file) for file in files]
    broken = files[0][: len(files[0]) // 2]
    outcomes: list[tuple[str, float]] = []
    numbers = iter(range(1, requests + 1))
    lock = threading.Lock()

    def client() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            started = time.perf_counter()
            if number % BROKEN_EVERY == 0:
                outcome = _outcome(model, broken, None)
            else:
                turn = number % len(files)
                outcome = _outcome(model, files[turn], expected[turn])
            outcomes.append((outcome, 1000 * (time.perf_counter() - started)))

    started = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [kind for kind, _ in outcomes]
    answered, wrong = kinds.count("answered"), kinds.count("wrong")
    return Load(
        sent=requests,
        answered=answered,
        wrong=wrong,
        lost=requests - answered - wrong,
        milliseconds=tuple(sorted(t for kind, t in outcomes if kind == "answered")),
        seconds=time.perf_counter() - started,
    )


def _outcome(model: Callable[..., dict[str, Any]], file: bytes, expected: Any) -> str:
    try:
        found = _predict(model, file)
    except tf.errors.InvalidArgumentError:
        return "answered" if expected is None else "lost"
    except tf.errors.OpError:
        return "lost"
    same = expected is not None and all(
        np.array_equal(found[name], expected[name])
        if found[name].dtype.kind != "f"
        else np.allclose(found[name], expected[name], rtol=1e-4, atol=1e-6)
        for name in expected
    )
    return "answered" if same else "wrong"


def _predict(
    model: Callable[..., dict[str, Any]], file: bytes
) -> dict[str, np.ndarray]:
    answer = model(images=tf.constant([file]))
    return {name: value.numpy() for name, value in answer.items()}


def pictures(number: int = 16) -> list[bytes]:
    """Random images of many sizes, JPEG and PNG in turn."""
    draws = np.random.default_rng(0)
    encode = [tf.io.encode_jpeg, tf.io.encode_png]
    files = []
    for index in range(number):
        height, width = draws.integers(100, 700, size=2)
        coarse = draws.uniform(0, 255, (6, 8, 3))
        image = tf.image.resize(coarse, (height, width), "bicubic")
        image = tf.saturate_cast(image, "uint8")
        files.append(encode[index % len(encode)](image).numpy())
    return files
