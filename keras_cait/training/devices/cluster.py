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
    """Workers that train one model together."""

    addresses: tuple[str, ...]  # "host:port" of each worker, the first worker's first
    index: int  # of this process
    # Known to all workers and to nobody else; may be empty.
    secret: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """The address of this process."""
        return self.addresses[self.index]


JOINED: list[Cluster] = []
"""The cluster of this process, once its strategy is made; one at most."""


def read_cluster(text: str | None, secret: str = "") -> Cluster | None:
    """The cluster in the text of TF_CONFIG, or None if it is not set.

    Raises `ValueError` with the field's name if TensorFlow would not accept it.
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
    """The port of "host:port" or "[::1]:port", or None if it has no valid one."""
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
