"""The workers of a training run on many machines, from TF_CONFIG."""

import json
import re
import reprlib
from dataclasses import dataclass, field
from typing import Any

_JOBS = ("chief", "worker")  # in TensorFlow's order
_ADVICE = (
    'Write {"cluster": {"worker": ["host0:12345", "host1:12345"]}, '
    '"task": {"type": "worker", "index": 0}}, with the index of each worker.'
)


@dataclass(frozen=True)
class Cluster:
    """Workers that train one model together.

    Attributes:
        addresses: "host:port" of each worker, the first worker's first.
        index: Index of this process.
        secret: Known to all workers and to nobody else; may be empty.
    """

    addresses: tuple[str, ...]
    index: int
    secret: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """The address of this process."""
        return self.addresses[self.index]


JOINED: list[Cluster] = []
"""The cluster of this process, once its strategy is made; one at most."""


def read_cluster(text: str | None, secret: str = "") -> Cluster | None:
    """The cluster that TF_CONFIG names, or None if it is not set.

    Args:
        text: The value of TF_CONFIG.
        secret: The value of KERAS_CAIT_SECRET.

    Raises:
        ValueError: If TensorFlow would not accept it. The message names the field.

    Example:
        >>> workers = '{"worker": ["a:1", "b:1"]}'
        >>> task = '{"type": "worker", "index": 1}'
        >>> read_cluster(f'{{"cluster": {workers}, "task": {task}}}')
        Cluster(addresses=('a:1', 'b:1'), index=1)

    """
    if not text:
        return None
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused("", f"JSON ({error})", text) from None
    _check("", config, dict, "an object")
    for part in ("cluster", "task"):
        _check(f'["{part}"]', config.get(part), dict, "an object")
    addresses = _addresses(config["cluster"])
    return Cluster(
        sum((tuple(addresses[job]) for job in _JOBS if job in addresses), ()),
        _index(config["task"], addresses),
        secret,
    )


def port_of(address: str) -> int | None:
    """The port of "host:port", or None if it has no valid one.

    Example:
        >>> port_of("[::1]:80"), port_of("host"), port_of("host:0")
        (80, None, None)

    """
    found = re.fullmatch(r"[\w.:%\[\]-]+:0*([0-9]{1,5})", address, re.ASCII)
    port = int(found[1]) if found else 0
    return port if 0 < port < 2**16 else None


def host_of(address: str) -> str:
    """The host of "host:port"."""
    return address.rpartition(":")[0].strip("[]")


def _addresses(jobs: dict[str, Any]) -> dict[str, list[str]]:
    unknown = sorted(set(jobs) - set(_JOBS))
    if unknown or "worker" not in jobs:
        raise _refused('["cluster"]', 'of "worker", and perhaps "chief"', list(jobs))
    for job, found in jobs.items():
        field = f'["cluster"]["{job}"]'
        _check(field, found, list, "a list of addresses")
        if not found or (job == "chief" and len(found) > 1):
            number = "one address" if job == "chief" else "one address or more"
            raise _refused(field, number, found)
        for number, address in enumerate(found):
            if not isinstance(address, str) or port_of(address) is None:
                raise _refused(
                    f"{field}[{number}]", '"host:port", the port in 1..65535', address
                )
    every = [address for found in jobs.values() for address in found]
    twice = sorted({address for address in every if every.count(address) > 1})
    if twice:
        raise _refused('["cluster"]', "a list of each address once", twice)
    return jobs


def _index(task: dict[str, Any], jobs: dict[str, list[str]]) -> int:
    """Index of the task among all workers; the chief is the first."""
    job, index = task.get("type"), task.get("index")
    if not isinstance(job, str) or job not in jobs:
        known = " or ".join(f'"{each}"' for each in jobs)
        raise _refused('["task"]["type"]', known, job)
    number = len(jobs[job])
    if isinstance(index, str) and re.fullmatch("[0-9]{1,9}", index):
        index = int(index)  # TensorFlow accepts it too
    if type(index) is not int or not 0 <= index < number:
        expected = f"a number from 0 to {number - 1}, as there are {number} of {job}"
        raise _refused('["task"]["index"]', expected, index)
    return index + (len(jobs.get("chief", ())) if job == "worker" else 0)


def _check(field: str, value: Any, kind: type, expected: str) -> None:
    if not isinstance(value, kind):
        raise _refused(field, expected, value)


def _refused(field: str, expected: str, received: Any) -> ValueError:
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = 200
    return ValueError(
        f"TF_CONFIG{field} must be {expected}. Received: {brief.repr(received)}. "
        f"{_ADVICE}"
    )
