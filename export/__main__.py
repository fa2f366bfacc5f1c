"""Runs `python -m keras_cait.export` from a checkout, as `python export`."""

import os
import runpy

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

runpy.run_module("keras_cait.export", run_name="__main__", alter_sys=True)
