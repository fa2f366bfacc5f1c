"""Peak memory of a process is its own."""

import subprocess
import sys

import numpy as np

from keras_cait import processors

PRINT_PEAK = "import runpy, sys; print(runpy.run_path(sys.argv[1])['peak_memory_mb']())"


def peak_of_a_new_process():
    done = subprocess.run(
        [sys.executable, "-c", PRINT_PEAK, processors.__file__],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def test_peak_memory_does_not_count_the_process_that_started_this_one():
    alone = peak_of_a_new_process()
    held = np.ones(2**26)  # 537 MB
    assert peak_of_a_new_process() < alone + 100
    assert processors.peak_memory_mb() > held.nbytes / 1e6
