"""Measures the speed of training steps on this machine.

    python recipes/benchmarks/training.py --model CaiT_XXS24 --batch-sizes 8
    python recipes/benchmarks/training.py --ways tensorflow_xla jax --batch-sizes 1 8 32

A step is `model.train_on_batch` of a compiled model: AdamW, cross-entropy, random
images in memory and stochastic depth as published. Each way to run it has a process of
its own:

    tensorflow_xla     jit_compile=True
    tensorflow_auto    jit_compile="auto", Keras's default
    tensorflow_graph   jit_compile=False
    jax                JAX, which compiles always

Of each batch size it prints images per second, the best and the median step, the share
of the speed of this machine's float32 matrix products that the median reaches, where a
step takes three times the operations of a forward pass; the seconds to the end of the
first step, with compiling; and the peak memory of the process. The last line of the
standard output is a JSON object.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("benchmark", "training"), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
