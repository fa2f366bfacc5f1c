"""Exports a trained model as an ONNX file.

    python export/to_onnx.py CaiT_XXS24 --output cait.onnx --labels labels.txt
    python export/to_onnx.py run/model.keras --output model.onnx --opset 17
    python export/to_onnx.py DeiT_S --output embedding.onnx --outputs features

MODEL is a name of a builder or of timm, or a .keras file. cait.onnx takes batches of
any size and returns probabilities, or the --outputs: any of probabilities, logits,
features (the input of the head), heads (the two logits of a distilled model) and
class_attention (a map for each block and head). Labels and preprocessing are in its
metadata. cait.onnx.json is the report, which is printed too; the last line of the
standard output is the same as JSON.

The file is checked by onnx, run by onnxruntime with batches of 1, 3 and 16, and
compared with the Keras model on 16 photographs, or on --images DIR. The difference of
each output may be 1e-4 of its largest value; otherwise nothing is written.

Measured with random weights on two cores, batch 1 (docs/exports.md): CaiT_XXS24
48.1 MB, 21 ms; DeiT_S 88.2 MB, 26 ms.

Limits: float32, opset 13 to 18, less than 2 GiB of weights. RegNetY cannot be exported:
tf2onnx does not support its grouped convolutions.

Exits with 0, or with one line of error and 2, after Ctrl-C 130, after SIGTERM 143.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("export", "--format", "onnx"), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
