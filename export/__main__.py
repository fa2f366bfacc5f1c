"""Exports a trained model: `python export MODEL --format FORMAT --output PATH`.

    python export CaiT_XXS24 --format onnx --output cait.onnx

The pages to_saved_model.py, to_tflite.py and to_onnx.py beside this file do the same
for one format each, and describe what it needs and writes.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from keras_cait.export import command

if __name__ == "__main__":
    prog = f"python {sys.argv[0]}"
    sys.exit(command.main(prog=prog, description=__doc__ or ""))
