r"""Exports a trained model for another runtime.

    python -m keras_cait.export CaiT_XXS24 --format onnx --output cait.onnx
    python -m keras_cait.export cait_s24_384 --format saved_model --output served/cait
    python -m keras_cait.export run/model.keras --format tflite --output model.tflite \
        --labels labels.txt --precision int8 --representative photos/
    python -m keras_cait.export CaiT_XXS24 --format onnx --output maps.onnx \
        --outputs probabilities class_attention

MODEL is a name of a builder or of timm, or a .keras file. A named model takes images in
[0, 255]; a .keras file takes the images that it was built for. Every export is loaded
in its own runtime and each of its outputs compared with that of the Keras model; if
they differ, nothing is written.

Prints a report. The last line of the standard output is the same as JSON, which is also
written beside the export as OUTPUT.json. Exits with 0, or with one line of error and 2,
after Ctrl-C 130, after SIGTERM 143.
"""

import sys

from keras_cait.export.command import main

if __name__ == "__main__":
    sys.exit(main(prog="python -m keras_cait.export", description=__doc__ or ""))
