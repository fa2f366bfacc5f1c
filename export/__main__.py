r"""Writes a trained model for another runtime, and proves it before it is there.

    python -m keras_cait.export CaiT_XXS24 --format onnx --output cait.onnx
    python -m keras_cait.export cait_s24_384 --format saved_model --output served/cait
    python -m keras_cait.export run/model.keras --format tflite --output model.tflite \
        --labels labels.txt --precision int8 --representative photos/

From a checkout `python export` does the same. MODEL is a builder's or timm's name, or
a .keras file. A model that is named takes images in [0, 255]; a .keras file takes what
it was made for. Every export is loaded in its own runtime and compared with the Keras
model; where they differ nothing is kept.

Prints a report; the last line of the standard output is the same as JSON, which also
stands beside the export as OUTPUT.json. Ends with 0, or with one line of error and 2,
after Ctrl-C 130, after SIGTERM 143, and nothing written.
"""

import importlib.util
import runpy
import sys
from pathlib import Path

if not __package__:  # `python export`, from a checkout
    sys.path.pop(0)  # what is in this folder is no package of its own
    # keras_cait itself would import TensorFlow, hence this file of it alone.
    found = importlib.util.find_spec("keras_cait")
    if found is not None and found.origin is not None:
        runpy.run_path(
            str(Path(found.origin).with_name("command_line.py")), run_name="__main__"
        )

from keras_cait.export.command import main

if __name__ == "__main__":
    sys.exit(main(description=__doc__ or ""))
