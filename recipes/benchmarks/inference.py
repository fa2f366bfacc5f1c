"""Measures the speed of a model in each runtime, on this machine.

    python recipes/benchmarks/inference.py --model CaiT_XXS24
    python recipes/benchmarks/inference.py --runtimes saved_model onnxruntime
    python recipes/benchmarks/inference.py --model DeiT_S --image-size 384

Each runtime has a process of its own, so that peak memory and threads are its own. The
files of the exports are written to a temporary folder, or to `--files`, where later
runs find them. `--precision` is that of Keras's runtimes, and float16 that of TFLite's
weights too. The runtimes:

    predict            model.predict, of a model that was not compiled
    graph, xla         the Keras model in TensorFlow, as a graph and compiled by XLA
    jax                the Keras model compiled by JAX
    saved_model        the served model in TensorFlow, of pixels
    saved_model_jpeg   the same, of JPEG files of 500 x 375 pixels
    tflite             the TFLite file in LiteRT, one image after the other
    onnxruntime        the ONNX file in onnxruntime

Of each batch size it prints images per second, the best and the median call, and the
share of the speed of this machine's float32 matrix products that the median reaches;
the seconds to the first result, with loading and compiling, without imports; and the
peak memory of the process. The last line of the standard output is a JSON object, which
has the sizes of the files too.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("benchmark", "inference"), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
