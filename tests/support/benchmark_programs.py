"""Benchmarks, run as a user runs them."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "recipes" / "benchmarks"


def run_benchmark(name: str, *flags: object) -> subprocess.CompletedProcess[str]:
    """Runs `recipes/benchmarks/NAME.py` to its end; an error fails the test."""
    command = [sys.executable, FOLDER / f"{name}.py", *flags]
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True
    )
