"""The workers of a training run on many machines, as TF_CONFIG names them."""

import json
from dataclasses import dataclass
from typing import Any

_JOBS = ("chief", "worker")  # in the order in which TensorFlow numbers them
_WHAT_TO_WRITE = (
    'Write {"cluster": {"worker": ["host0:12345", "host1:12345"]}, '
    '"task": {"type": "worker", "index": 0}}, with the index of each worker.'
)


@dataclass(frozen=True)
class Cluster:
    """Workers that train one model together.

    Attributes:
        addresses: Of all workers, "host:port", the first worker's first.
        index: Which of them this process is.
    """

    addresses: tuple[str, ...]
    index: int

    @property
    def address(self) -> str:
        """Of this process."""
        return self.addresses[self.index]


def read_cluster(text: str | None) -> Cluster | None:
    """The cluster that TF_CONFIG names, or None where it is not set.

    Args:
        text: The variable's value.

    Raises:
        ValueError: If it is not what TensorFlow takes for such a cluster.

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
    except json.JSONDecodeError as error:
        raise _refused(f"be JSON, but has an error ({error})", text) from None
    for part in ("cluster", "task"):
        if not isinstance(config, dict) or not isinstance(config.get(part), dict):
            raise _refused(f'have an object "{part}"', text)
    addresses = _addresses(config["cluster"], text)
    return Cluster(
        sum((tuple(addresses[job]) for job in _JOBS if job in addresses), ()),
        _index(config["task"], addresses, text),
    )


def port_of(address: str) -> int | None:
    """The port of "host:port", or None if there is no such.

    Example:
        >>> port_of("[::1]:80"), port_of("host"), port_of("host:0")
        (80, None, None)

    """
    host, _, port = address.rpartition(":")
    valid = host and port.isdecimal() and 0 < int(port) < 2**16
    return int(port) if valid else None


def host_of(address: str) -> str:
    """The host of "host:port"."""
    return address.rpartition(":")[0].strip("[]")


def _addresses(jobs: dict[str, Any], text: str) -> dict[str, list[str]]:
    if not set(jobs) <= set(_JOBS) or "worker" not in jobs:
        raise _refused('have a cluster of "worker", and perhaps a "chief"', text)
    for job, found in jobs.items():
        if not isinstance(found, list) or not found:
            raise _refused(f'list the addresses of "{job}"', text)
        for address in found:
            if not isinstance(address, str) or port_of(address) is None:
                raise _refused(f'give "host:port" of each {job}, not {address!r}', text)
    every = [address for found in jobs.values() for address in found]
    if len(set(every)) < len(every):
        raise _refused("name each address once", text)
    if len(jobs.get("chief", ())) > 1:
        raise _refused("have one chief", text)
    return jobs


def _index(task: dict[str, Any], jobs: dict[str, list[str]], text: str) -> int:
    """Among all workers, the chief being the first."""
    job, index = task.get("type"), task.get("index")
    if job not in jobs:
        raise _refused(f"have a task whose type is {' or '.join(jobs)}", text)
    number = len(jobs[job])
    if isinstance(index, str) and index.isdecimal():
        index = int(index)  # TensorFlow takes it too
    if type(index) is not int or not 0 <= index < number:
        what = f"have a task whose index is below the {number} of its cluster's {job}"
        raise _refused(what, text)
    return index + (len(jobs.get("chief", ())) if job == "worker" else 0)


def _refused(what: str, text: str) -> ValueError:
    return ValueError(f"TF_CONFIG must {what}. Received: {text}\n{_WHAT_TO_WRITE}")
