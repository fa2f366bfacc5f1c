"""Trains a CaiT on labels alone.

    python recipes/train_cait.py                            handwritten digits
    python recipes/train_cait.py --data-dir DIR             your own images
    python recipes/train_cait.py --preset imagenet --dataset imagenet2012
    python recipes/train_cait.py --smoke                    everything, in two minutes

Paper: CaiT (https://arxiv.org/abs/2103.17239), section 4 and table 3. The official
repository has no command for this run.
Durations, expected and measured results: recipes/README.md.

In the output folder: model.keras (takes images in [0, 255]), history.csv,
tensorboard/, curves.png and config.json. The last line of the standard output is a
JSON object with the results.
"""

import os
import sys
from collections.abc import Sequence
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

from keras_cait.training.programs.launch import launch
from keras_cait.training.programs.train import TrainConfig, presets_of, train
from keras_cait.training.settings.presets import CAIT

PRESETS = presets_of(CAIT, model="CaiT_S24")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    run = partial(train, families=("cait",))
    return launch(TrainConfig, PRESETS, run, __doc__ or "", arguments)


if __name__ == "__main__":
    sys.exit(main())
