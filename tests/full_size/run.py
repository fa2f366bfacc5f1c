"""Driver of the comparison of every full-size model with timm, on each backend.

    python -m tests.full_size.run build/parity --timm .venv-torch/bin/python

runs in the project's environment; --timm is the interpreter of an environment with
torch and timm. Each step is a separate process, and a case's files, up to 2.5 GB, are
deleted before the next case, so that a run takes the memory and disk of one model.
The last line of the standard output is a JSON object.
"""
# ruff: noqa: T201 (it reports on stdout)

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from tests.full_size.cases import LIMIT, Case, cases_like, command_line

ROOT = Path(__file__).resolve().parents[2]


def step(
    python: str, script: str, *arguments: str, backend: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs one of the scripts, and shows its output if it fails."""
    done = subprocess.run(
        [python, "-m", f"tests.full_size.{script}", *arguments],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
    return done


def compare(
    case: Case, timm: str, backends: list[str], folder: Path
) -> dict[str, float]:
    """The difference to timm on each backend; NaN if a step failed."""
    selected = (str(folder), "--cases", case.name)
    ratios = dict.fromkeys(backends, math.nan)
    try:
        if step(timm, "reference_from_timm", *selected).returncode == 0:
            for backend in backends:
                done = step(sys.executable, "compare", *selected, backend=backend)
                *_, last = done.stdout.splitlines() or [""]
                if last.startswith("{"):  # it reached its end
                    ratios[backend] = json.loads(last)["ratios"][case.name]
    finally:
        case.weights(folder).unlink(missing_ok=True)
        case.numbers(folder).unlink(missing_ok=True)
    return ratios


def timm_reads(timm: str, backend: str, folder: Path) -> bool:
    """Whether timm reads keras_cait's files and computes the same logits."""
    ours = (sys.executable, "compare", str(folder), "--write")
    theirs = (timm, "reference_from_timm", str(folder), "--check")
    return all(step(*it, backend=backend).returncode == 0 for it in (ours, theirs))


def main() -> int:
    parser = command_line(__doc__ or "")
    parser.add_argument("--timm", required=True, help="a Python with torch and timm")
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax"])
    options = parser.parse_args()
    timm, backends, folder = options.timm, options.backends, options.folder.resolve()

    print(" " * 40, *(f"{backend:>12}" for backend in backends), flush=True)
    table = {}
    for case in cases_like(*options.cases):
        table[case.name] = compare(case, timm, backends, folder)
        row = (f"{ratio:12.1e}" for ratio in table[case.name].values())
        print(f"{case.name:40}", *row, flush=True)
    read = {
        name: timm_reads(timm, name, folder / "written" / name) for name in backends
    }
    row = (f"{'yes' if read[name] else 'no':>12}" for name in backends)
    print(f"{'timm reads what we write':40}", *row)

    ratios = [ratio for row in table.values() for ratio in row.values()]
    # A NaN is never within the limit.
    passed = all(ratio <= LIMIT for ratio in ratios) and all(read.values())
    print(json.dumps({"limit": LIMIT, "ratios": table, "timm_reads": read}))
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
