"""Processes on this machine that are the workers of a cluster."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
LONGEST = 240  # seconds; a process that hangs is killed then, also on a busy machine


@dataclass(frozen=True)
class Ended:
    code: int
    stderr: str
    stdout: str


def free_ports(count):
    """Ports that nothing listens at."""
    with ExitStack() as stack:
        found = [
            stack.enter_context(socket.create_server(("", 0))) for _ in range(count)
        ]
        return [each.getsockname()[1] for each in found]


def environment(ports, index, **changed):
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    task = {"type": "worker", "index": index}
    config = json.dumps({"cluster": cluster, "task": task})
    # Workers with a GPU would share it.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return {**os.environ, **quiet, "TF_CONFIG": config, **changed}


def start_workers(*commands, **changed):
    """Starts a worker for each command, the arguments of `python`."""
    ports = free_ports(len(commands))
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=ROOT,
            env=environment(ports, index, **changed),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index, command in enumerate(commands)
    ]


def run_workers(*options, module="tests.support.training.worker", **changed):
    """Runs a worker with each of the options, and returns how each ended."""
    commands = [["-m", module, json.dumps(given)] for given in options]
    return [ended(process) for process in start_workers(*commands, **changed)]


def ended(process):
    """How a process ended; kills one that hangs."""
    with process:
        try:
            stdout, stderr = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
        return Ended(process.returncode, stderr, stdout)
