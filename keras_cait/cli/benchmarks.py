"""Commands that measure the speed of a model, with the flags of their settings."""

from typing import Any

from cyclopts import App

from keras_cait.benchmarking.settings import InferenceSettings, TrainingStepSettings
from keras_cait.command_line.flags import with_flags
from keras_cait.terminal.loading import loading_libraries

benchmark = App(name="benchmark", help="Measure the speed of a model on this machine.")


def inference(**given: Any) -> int:
    """Measure images per second in each runtime."""
    with loading_libraries():
        from keras_cait.benchmarking.inference import benchmark_inference
        from keras_cait.benchmarking.program import run_measurement
    return run_measurement(InferenceSettings, benchmark_inference, given)


def training(**given: Any) -> int:
    """Measure images per second of training steps."""
    with loading_libraries():
        from keras_cait.benchmarking.program import run_measurement
        from keras_cait.benchmarking.training_steps import benchmark_steps
    return run_measurement(TrainingStepSettings, benchmark_steps, given)


benchmark.command(with_flags(InferenceSettings, inference))
benchmark.command(with_flags(TrainingStepSettings, training))
