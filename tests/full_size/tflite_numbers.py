"""Size, memory, latency and operators of TFLite files.

    python -m tests.full_size.tflite_numbers build/tflite

writes every precision of some models, with random weights, runs each in a separate
process and prints the tables of `export/mobile/README.md`.
"""
# ruff: noqa: T201 (it reports on stdout)

import argparse
import json
import subprocess
import sys
from pathlib import Path

import keras_cait
from keras_cait.export.pipeline.photographs import photographs
from keras_cait.export.pipeline.report import ExportReport
from keras_cait.export.to_tflite import PRECISIONS, to_tflite
from tests.support.export.samples import plausible

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("DeiT_Ti_Distilled", "DeiT_S", "CaiT_XXS24")


def write(name: str, precision: str, folder: Path) -> ExportReport:
    """Exports a model with random weights that takes pixels."""
    model = keras_cait.create_model(name, weights=None, include_preprocessing=True)
    return to_tflite(
        plausible(model),
        folder / f"{name}_{precision}.tflite",
        precision=precision,
        # Not the images that the result is compared on.
        representative=photographs((224, 224), number=48)[16:]
        if precision == "int8"
        else None,
        overwrite=True,
    )


def run(file: Path, threads: int) -> dict[str, float]:
    """Memory and latency of the file in a separate process."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.full_size.litert_process",
            str(file),
            f"{threads}",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder for the files")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(f"Milliseconds with {options.threads} threads, best and median of 20.\n")
    print("| model | precision | size | of float32 | peak memory | best | median "
          "| XNNPACK | difference |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    operators = {}
    for name in options.models:
        whole = 0
        for precision in PRECISIONS:
            report = write(name, precision, options.folder)
            whole = whole or report.size_bytes
            operators[f"{name}, {precision}"] = report.operators
            found = run(report.path, options.threads)
            print(
                f"| {name} | {precision} | {report.size_bytes / 1e6:.1f} MB "
                f"| {100 * report.size_bytes / whole:.1f} % "
                f"| {found['memory'] / 1e6:.0f} MB | {found['best']:.0f} ms "
                f"| {found['median']:.0f} ms | {found['parts']} parts "
                f"| {report.comparison.relative_difference:.1g} |",
                flush=True,
            )
    for name, counts in operators.items():
        rows = sorted(counts.items(), key=lambda row: -row[1])
        kinds = ", ".join(f"{kind} {count}" for kind, count in rows)
        print(f"\n{name}: {sum(counts.values())} operators, {kinds}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
