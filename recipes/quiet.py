"""Starts TensorFlow without the lines that it logs while it does.

Recipes import this first when they are run as files. TensorFlow writes those
lines before it reads any setting, so only the stream itself can be turned off.
"""

import contextlib
import importlib
import os
import sys

# Errors that matter are raised; what TensorFlow logs as one, such as the kernel that
# it falls back to, is not for whoever runs a recipe.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    sys.stderr.flush()
    _kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as _nowhere:
            os.dup2(_nowhere.fileno(), 2)
        with contextlib.suppress(ImportError):  # the recipe's own import reports it
            # Looking for a GPU logs an error on every machine without one.
            importlib.import_module("tensorflow").config.list_physical_devices()
    finally:
        os.dup2(_kept, 2)
        os.close(_kept)
