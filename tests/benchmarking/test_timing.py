"""Timings, rates and the matrix product are plausible on any machine."""

import operator
import sys
import time

import pytest

from keras_cait.benchmarking.timing import (
    Timing,
    matrix_product_gflops,
    output_of,
    timed,
)


def test_the_first_call_is_apart_and_the_warm_up_does_not_count():
    durations = iter([0.08, 0.0, 0.0, 0.01, 0.02, 0.03, 0.04, 0.05])
    timing = timed(lambda: time.sleep(next(durations)), seconds=0.0)
    assert timing.first >= 0.08
    slept = (0.01, 0.02, 0.03, 0.04, 0.05)
    assert all(map(operator.ge, timing.seconds, slept))
    assert len(timing.seconds) == len(slept)
    assert next(durations, None) is None


def test_calls_go_on_for_the_given_time():
    timing = timed(lambda: time.sleep(0.01), seconds=0.2)
    assert sum(timing.seconds) >= 0.2
    assert len(timing.seconds) == 5 or sum(timing.seconds[:-1]) < 0.2


def test_rates_are_images_per_second_of_the_best_and_the_median_call():
    timing = Timing(first=9.0, seconds=(0.5, 0.1, 0.2))
    assert timing.rates(4) == {"best": 40.0, "median": 20.0}


def test_a_matrix_product_runs_at_a_processor_s_speed():
    assert 1 < matrix_product_gflops() < 100_000


def test_a_program_gives_its_last_line_or_its_error():
    program = "import os; print('text'); print('[1, ' + os.environ['NUMBER'] + ']')"
    assert output_of([sys.executable, "-c", program], {"NUMBER": "2"}) == [1, 2]
    program = "import sys; sys.exit('a warning\\ntoo few images')"
    with pytest.raises(ValueError, match="exit code 1: too few images"):
        output_of([sys.executable, "-c", program])
