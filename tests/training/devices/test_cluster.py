"""TF_CONFIG is read, or refused with the name of the wrong field."""

import contextlib
import itertools
import json
import random
import re

import pytest

from keras_cait.training.devices.cluster import Cluster, read_cluster
from keras_cait.training.devices.strategy import make_strategy
from keras_cait.training.devices.worker_agreement import is_chief, shard_of

WORKERS = ["a:1", "b:2"]


def config(cluster=None, task=None, **parts):
    cluster = {"worker": WORKERS} if cluster is None else cluster
    task = {"type": "worker", "index": 0} if task is None else task
    return json.dumps({"cluster": cluster, "task": task, **parts})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{'cluster': 1}", " must be JSON (Expecting property name"),
        ("[" * 100_000, " must be JSON (maximum recursion depth"),
        ("[]", " must be an object. Received: []"),
        ('{"task": {}}', '["cluster"] must be an object. Received: None'),
        (config([1]), '["cluster"] must be an object. Received: [1]'),
        (
            json.dumps({"cluster": {"worker": WORKERS}}),
            '["task"] must be an object. Received: None',
        ),
        (
            config({"ps": ["a:1"], "worker": WORKERS}),
            '["cluster"] must be of "worker", and perhaps "chief". '
            "Received: ['ps', 'worker']",
        ),
        (config({"chief": ["a:1"]}), '["cluster"] must be of "worker"'),
        (
            config({"worker": "a:1"}),
            '["cluster"]["worker"] must be a list of addresses. Received: \'a:1\'',
        ),
        (config({"worker": []}), '["cluster"]["worker"] must be one address or more'),
        (
            config({"worker": ["a", "b:1"]}),
            '["cluster"]["worker"][0] must be "host:port", the port in 1..65535. '
            "Received: 'a'",
        ),
        (
            config({"worker": ["a:1", "b:0"]}),
            '["cluster"]["worker"][1] must be "host:port"',
        ),
        (
            config({"worker": ["a:1", "b:1"], "chief": ["a:1"]}),
            "[\"cluster\"] must be a list of each address once. Received: ['a:1']",
        ),
        (
            config({"worker": WORKERS, "chief": ["c:1", "d:1"]}),
            '["cluster"]["chief"] must be one address. Received',
        ),
        (
            config(task={"type": "chief", "index": 0}),
            '["task"]["type"] must be "worker". Received: \'chief\'',
        ),
        (
            config(task={"type": ["worker"], "index": 0}),
            '["task"]["type"] must be "worker". Received: [',
        ),
        (
            config(task={"type": "worker"}),
            '["task"]["index"] must be a number from 0 to 1, as there are 2 of worker. '
            "Received: None",
        ),
        (
            config(task={"type": "worker", "index": 2}),
            '["task"]["index"] must be a number from 0 to 1',
        ),
        (
            config(task={"type": "worker", "index": -1}),
            '["task"]["index"] must be a number from 0 to 1',
        ),
        (
            config(task={"type": "worker", "index": True}),
            '["task"]["index"] must be a number from 0 to 1',
        ),
        (
            config(task={"type": "worker", "index": "9" * 5000}),
            '["task"]["index"] must be a number from 0 to 1',
        ),
    ],
)
def test_a_wrong_tf_config_is_refused_by_field(text, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match=f"TF_CONFIG{re.escape(message)}") as error:
        make_strategy("auto")
    assert 'Write {"cluster"' in str(error.value)


# Of every kind that JSON has, and of addresses, ports and indices.
VALUES = [
    *(None, True, False, 0, 1, -1, 2, 10**30, 0.5, float("nan"), float("inf")),
    *(
        "",
        "worker",
        "chief",
        "ps",
        "0",
        "1",
        "-1",
        "True",
        "\u0661",
        "9" * 5000,
        "\ud800",
    ),
    *("a:1", "a:0", "a:65536", "a:-1", "a:1.0", "a:\u0661", ":1", "a b:1", "a\x00:1"),
    *("[::1]:1", "a:" + "9" * 5000, "a" * 5000),
    *([], [[]], ["a:1"], ["a:1", "a:1"], [None], [1], [["a:1"]], [{"a:1": 1}]),
    *({}, {"worker": ["a:1"]}, {"worker": []}, {"index": 0}, {"": {}}),
]


def wrong_configs():
    """Every value at every field, then random ones at two fields."""
    fields = [
        *((), ("cluster",), ("cluster", "worker"), ("cluster", "worker", 1)),
        *(("cluster", "chief"), ("task",), ("task", "type"), ("task", "index")),
    ]
    for field, value in itertools.product(fields, VALUES):
        yield with_value(config(), field, value)
    draw = random.Random(0)
    for _ in range(3000):
        text = config()
        for field in draw.sample(fields[1:], 2):
            text = with_value(text, field, draw.choice(VALUES))
        yield text


def with_value(text, field, value):
    """The configuration with another value there, if there still is such a field."""
    whole = {"": json.loads(text)}
    with contextlib.suppress(TypeError, KeyError, IndexError):
        part = whole
        for key in ("", *field)[:-1]:
            part = part[key]
        part[("", *field)[-1]] = value
    return json.dumps(whole[""])


def test_a_random_tf_config_is_read_or_refused_in_one_line():
    """The line names the field and its value."""
    refused = read = 0
    for text in wrong_configs():
        try:
            cluster = read_cluster(text)
        except ValueError as error:
            found = str(error)
            assert re.match(r"TF_CONFIG(\[.*\])? must be .*\. Received: ", found), found
            assert len(found.splitlines()) == 1, found
            assert len(found) < 800, found
            found.encode()
            refused += 1
        else:
            assert cluster is not None
            assert 0 <= cluster.index < len(cluster.addresses)
            read += 1
    assert refused > 2000
    assert read > 15


def test_the_chief_is_the_first_worker():
    jobs = {"worker": WORKERS, "chief": ["c:3"]}
    chief = read_cluster(config(jobs, {"type": "chief", "index": 0}))
    worker = read_cluster(config(jobs, {"type": "worker", "index": "1"}))
    assert chief == Cluster(("c:3", "a:1", "b:2"), 0)
    assert worker == Cluster(("c:3", "a:1", "b:2"), 2)


def test_a_cluster_of_one_worker_gives_no_strategy(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config({"worker": ["a:1"]}))
    strategy = make_strategy("auto")
    assert strategy is None
    assert is_chief(strategy)
    assert shard_of(strategy).count == 1
    with pytest.raises(ValueError, match=r"two workers or more.*Received: .*a:1"):
        make_strategy("multiworker")
    monkeypatch.delenv("TF_CONFIG")
    with pytest.raises(ValueError, match="Received: no TF_CONFIG"):
        make_strategy("multiworker")


def test_tf_config_on_another_backend_is_refused(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config())
    monkeypatch.setattr("keras.backend.backend", lambda: "torch")
    with pytest.raises(ValueError, match="on TensorFlow or JAX"):
        make_strategy("auto")
