"""Latency of our TFLite file against timm's ONNX file of the same model.

    python -m tests.full_size.tflite_speed build/speed --timm .venv-torch/bin/python

runs in the project's environment; --timm is the interpreter of an environment with
torch, timm and onnx. Both models have the same weights and get the same images, one at
a time, LiteRT and onnxruntime in turn, so that other load affects both.
The run fails if the two do not agree, or if ours takes longer in the median; the best
of each is shown too, but is luck where others use the same processors. The last line
of the standard output is a JSON object.
"""
# ruff: noqa: T201 (it reports on stdout)

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import keras_cait
from keras_cait.export.tflite.runtime import TfliteRuntime
from keras_cait.export.to_tflite import to_tflite
from keras_cait.optional_packages import import_optional
from tests.full_size.cases import Case, cases_like, command_line

ROOT = Path(__file__).resolve().parents[2]

# Seconds between runs. onnxruntime's threads spin for a while after each run and
# compete with the next one: without a pause, LiteRT took 37 ms on two threads, not 17.
PAUSE = 0.05


def write(case: Case, timm: str, folder: Path, precision: str) -> tuple[Path, Path]:
    """Writes timm's ONNX file and our TFLite file of a model."""
    subprocess.run(
        [timm, "-m", "tests.full_size.timm_onnx", str(folder), "--cases", case.name],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    model = keras_cait.create_model(
        case.timm_name,
        weights=str(case.weights(folder)),
        input_shape=(case.height, case.width, 3),
    )
    ours = folder / f"{case.name}.tflite"
    to_tflite(model, ours, precision=precision, overwrite=True)
    return folder / f"{case.name}.onnx", ours


def runs(
    onnx: Path, tflite: Path, images: np.ndarray, threads: int
) -> dict[str, Callable[[], np.ndarray]]:
    """The timed functions by name; each returns probabilities `(1, classes)`."""
    onnxruntime = import_optional("onnxruntime", "export")
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session: Any = onnxruntime.InferenceSession(
        str(onnx), options, providers=["CPUExecutionProvider"]
    )
    transposed = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    runtime = TfliteRuntime(tflite, threads)

    def theirs() -> np.ndarray:
        logits = session.run(None, {"images": transposed})[0]
        exponentials = np.exp(logits - logits.max())
        return exponentials / exponentials.sum()

    def ours() -> np.ndarray:
        return runtime(images)["probabilities"]

    return {"timm, onnxruntime": theirs, "keras_cait, LiteRT": ours}


def times(
    timed: dict[str, Callable[[], np.ndarray]], repeats: int
) -> dict[str, dict[str, float]]:
    """Best and median milliseconds of functions that run alternately."""
    measured: dict[str, list[float]] = {name: [] for name in timed}
    for repeat in range(repeats + 2):  # the first two compile and allocate
        for name, run in timed.items():
            time.sleep(PAUSE)
            started = time.perf_counter()
            run()
            if repeat >= 2:
                measured[name].append(1000 * (time.perf_counter() - started))
    return {
        name: {"best": min(values), "median": statistics.median(values)}
        for name, values in measured.items()
    }


def main() -> int:
    parser = command_line(__doc__ or "")
    parser.set_defaults(cases=["cait_xxs24_224"])
    parser.add_argument("--timm", required=True, help="a Python with torch and timm")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)

    results = {}
    for case in cases_like(*options.cases):
        onnx, tflite = write(case, options.timm, folder, options.precision)
        draws = np.random.default_rng(0)
        images = draws.standard_normal((1, case.height, case.width, 3), "float32")
        timed = runs(onnx, tflite, images, options.threads)
        expected, found = (run() for run in timed.values())
        difference = float(abs(found - expected).max() / expected.max())
        measured = times(timed, options.repeats)
        results[case.name] = {"difference": difference, "milliseconds": measured}
        print(f"{case.name}, {options.precision}, {options.threads} threads")
        print(f"  largest difference {difference:.1e} of the largest probability")
        for name, values in measured.items():
            print(f"  {name:20} best {values['best']:6.1f} ms, "
                  f"median {values['median']:6.1f} ms")  # fmt: skip
    fast = all(
        row["milliseconds"]["keras_cait, LiteRT"]["median"]
        <= row["milliseconds"]["timm, onnxruntime"]["median"]
        for row in results.values()
    )
    equal = options.precision != "float32" or all(
        row["difference"] <= 1e-4 for row in results.values()
    )
    print(json.dumps({"as fast": fast, "equal": equal, "cases": results}))
    return int(not (fast and equal))


if __name__ == "__main__":
    sys.exit(main())
