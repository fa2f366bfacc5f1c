"""Measures the memory and latency of a TFLite file in a process with LiteRT alone.

    python -m tests.full_size.litert_process FILE THREADS

The line on the standard output is a JSON object: memory in bytes, the
peak of the process minus its size before the file was loaded (Linux only);
milliseconds, best and median of 20; and the number of XNNPACK partitions.
"""
# ruff: noqa: T201 (it reports on stdout)

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def memory(field: str) -> int:
    """Bytes of this process: "VmRSS" (now) or "VmHWM" (peak)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    row = next(line for line in status.splitlines() if line.startswith(field))
    return 1024 * int(row.split()[1])


def main() -> int:
    file, threads = sys.argv[1], int(sys.argv[2])
    before = memory("VmRSS")
    interpreter = Interpreter(file, num_threads=threads)
    interpreter.allocate_tensors()
    taken = interpreter.get_input_details()[0]
    image = np.random.default_rng(0).uniform(0, 255, taken["shape"]).astype("float32")
    interpreter.set_tensor(taken["index"], image)
    milliseconds = []
    for _ in range(22):  # the first two allocate
        started = time.perf_counter()
        interpreter.invoke()
        milliseconds.append(1000 * (time.perf_counter() - started))
    parts = [row["op_name"] for row in interpreter._get_ops_details()]
    print(
        json.dumps(
            {
                "memory": memory("VmHWM") - before,
                "best": min(milliseconds[2:]),
                "median": statistics.median(milliseconds[2:]),
                "parts": parts.count("DELEGATE"),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
