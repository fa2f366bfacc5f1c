"""Distils a DeiT from a convnet, and shows whether the teacher helped.

    python recipes/distill_deit.py

trains a small convnet, then the same DeiT twice with the same budget and seed:
without the teacher and with it. Without arguments the images are scikit-learn's
handwritten digits, which need no download.

    python recipes/distill_deit.py --data-dir DIR         your own images
    python recipes/distill_deit.py --dataset cifar10      any TFDS name
    python recipes/distill_deit.py --teacher out/teacher.keras
    python recipes/distill_deit.py --preset imagenet --dataset imagenet2012
    python recipes/distill_deit.py --smoke                everything, in two minutes

Paper: DeiT (https://arxiv.org/abs/2012.12877), section 4 and table 3.
Durations, expected and measured results: recipes/README.md.

In the output folder: student.keras and teacher.keras (both take images in
[0, 255]), history.csv, tensorboard/, curves.png and config.json. The last line of
the standard output is a JSON object with the results.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from keras_cait.training.programs.distill import DistillConfig, distil, presets_of
from keras_cait.training.programs.launch import launch
from keras_cait.training.settings.presets import DEIT

PRESETS = presets_of(DEIT, student="DeiT_Ti")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    train = partial(distil, family="deit")
    return launch(DistillConfig, PRESETS, train, __doc__ or "", arguments)


if __name__ == "__main__":
    sys.exit(main())
