"""One measurement in this process, with the flags of `keras-cait benchmark`.

python -m keras_cait.benchmarking inference --runtimes graph
python -m keras_cait.benchmarking training --ways jax
"""

import sys

from keras_cait.benchmarking.inference import benchmark_inference
from keras_cait.benchmarking.program import run_program
from keras_cait.benchmarking.settings import InferenceSettings, TrainingStepSettings
from keras_cait.benchmarking.training_steps import benchmark_steps

PROGRAMS = {
    "inference": (InferenceSettings, benchmark_inference),
    "training": (TrainingStepSettings, benchmark_steps),
}

if __name__ == "__main__":
    task, *arguments = sys.argv[1:]
    sys.exit(run_program(*PROGRAMS[task], arguments, __doc__))
