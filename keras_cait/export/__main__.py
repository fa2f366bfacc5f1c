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

import sys

from keras_cait.export.command import main

if __name__ == "__main__":
    sys.exit(main(description=__doc__ or ""))
