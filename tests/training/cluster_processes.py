"""Starts the workers of a cluster on this machine, each a process of its own."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST = 90  # seconds; then what hangs is killed


@dataclass(frozen=True)
class Ended:
    code: int
    stderr: str


def free_ports(count):
    """Ports that nothing listens at, which are not the system's to hand out."""
    with ExitStack() as stack:
        found = [
            stack.enter_context(socket.create_server(("", 0))) for _ in range(count)
        ]
        return [each.getsockname()[1] for each in found]


def environment(ports, index, **changed):
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    task = {"type": "worker", "index": index}
    config = json.dumps({"cluster": cluster, "task": task})
    # One that sees a GPU would share it with the others.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return {**os.environ, **quiet, "TF_CONFIG": config, **changed}


def run_workers(*options, module="tests.training.worker", **changed):
    """Runs a worker for each options, and returns how each ended."""
    ports = free_ports(len(options))
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(given)],
            cwd=ROOT,
            env=environment(ports, index, **changed),
            stderr=subprocess.PIPE,
            text=True,
        )
        for index, given in enumerate(options)
    ]
    return [_ended(process) for process in processes]


def _ended(process):
    """As it ended; killed, if it hangs."""
    with process:
        try:
            stderr = process.communicate(timeout=LONGEST)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            stderr = process.communicate()[1]
        return Ended(process.returncode, stderr)
