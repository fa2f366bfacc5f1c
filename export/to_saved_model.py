"""Exports a trained model as a SavedModel for TensorFlow Serving.

    python export/to_saved_model.py CaiT_XXS24 --output exported --labels labels.txt
    python export/to_saved_model.py run/model.keras --output exported --version 2

MODEL is a name of a builder or of timm, or a .keras file. exported/1 is a SavedModel
that runs without Keras: it takes JPEG and PNG files and returns the top classes, or
takes pixels of any size and returns probabilities, features or heads. With --outputs,
as export/to_onnx.py lists them, two more signatures return these together, of files or
of pixels. export/serving serves it. exported/1.json is the report, which is printed
too; the last line of the standard output is the same as JSON.

Every signature is compared with the Keras model on 16 photographs, or on --images DIR.
The difference of each output may be 1e-4 of its largest value; otherwise nothing is
written.

Measured with random weights on two cores, for a JPEG of 500 x 375 pixels
(docs/exports.md): CaiT_XXS24 49.6 MB, 49 ms; DeiT_S 89.0 MB, 37 ms.

Limits: float32; JPEG and PNG of at most 50 million pixels. TensorFlow Serving itself
was not run; the SavedModel was loaded by TensorFlow.

Exits with 0, or with one line of error and 2, after Ctrl-C 130, after SIGTERM 143.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(
    keras_cait, command=("export", "--format", "saved_model"), description=__doc__
)

if __name__ == "__main__":
    sys.exit(main())
