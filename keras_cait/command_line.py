"""Keeps TensorFlow's log from whoever runs `python -m keras_cait...`.

The setting must stand before TensorFlow is imported, which this package does before
Python comes to the module that is run. Who imports the package has the log as it was.
"""

import os
import sys

if "-m" in sys.orig_argv:
    _after = sys.orig_argv[sys.orig_argv.index("-m") + 1 :]
    if _after and _after[0].partition(".")[0] == "keras_cait":
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
