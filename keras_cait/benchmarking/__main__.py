"""One measurement in this process, with the flags of `keras-cait benchmark`.

    python -m keras_cait.benchmarking inference --runtimes graph
    python -m keras_cait.benchmarking training --ways jax

`keras-cait benchmark` starts it for each runtime that it measures.
"""

import argparse
import sys

from keras_cait.benchmarking.inference import benchmark_inference
from keras_cait.benchmarking.program import run_program
from keras_cait.benchmarking.settings import InferenceSettings, TrainingStepSettings
from keras_cait.benchmarking.training_steps import benchmark_steps

PROGRAMS = {
    "inference": (InferenceSettings, benchmark_inference),
    "training": (TrainingStepSettings, benchmark_steps),
}


def main() -> int:
    """Measures; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m keras_cait.benchmarking",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("task", choices=PROGRAMS)
    parser.add_argument("flags", nargs=argparse.REMAINDER, help="TASK --help has them")
    given = parser.parse_args()
    return run_program(*PROGRAMS[given.task], given.flags, __doc__)


if __name__ == "__main__":
    sys.exit(main())
