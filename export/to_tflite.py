r"""Exports a trained model as a TFLite file for phones.

    python export/to_tflite.py CaiT_XXS24 --output cait.tflite --labels labels.txt
    python export/to_tflite.py run/model.keras --output model.tflite \
        --precision int8 --representative photos

MODEL is a name of a builder or of timm, or a .keras file. cait.tflite takes one image
and returns probabilities, or the --outputs, as export/to_onnx.py lists them; labels and
normalization are in its metadata. export/mobile has code for Android and iOS.
cait.tflite.json is the report, which is printed too; the last line of the standard
output is the same as JSON.

The file is run by LiteRT and compared with the Keras model on 16 photographs, or on
--images DIR. The difference of each output may be 1e-4 of its largest value in float32
and 2e-2 in float16. With 8-bit weights it may be 0.1, or else 95 % of the predicted
classes must stay, and the accuracy to 1 point if class folders give the labels.
Otherwise nothing is written; --tolerance and --keep-anyway change that.

Measured with random weights on two cores, batch 1 (docs/exports.md):

    CaiT_XXS24   float32 48.0 MB, 16 ms   float16 24.2 MB, 17 ms
                 dynamic 13.2 MB, 10 ms   int8    13.5 MB, 15 ms

On CIFAR-10's 10,000 test images three models that were trained on it keep 99.5 to
99.7 % of their predictions in int8.

Limits: batch size 1. int8 covers matrices and the inputs of GELU; attention, norms and
GELU stay float32. No phone was used.

Exits with 0, or with one line of error and 2, after Ctrl-C 130, after SIGTERM 143.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(
    keras_cait, command=("export", "--format", "tflite"), description=__doc__
)

if __name__ == "__main__":
    sys.exit(main())
