"""Trains a DeiT on labels alone.

    python recipes/train_deit.py                            handwritten digits
    python recipes/train_deit.py --data-dir DIR             your own images
    python recipes/train_deit.py --preset imagenet --dataset imagenet2012
    python recipes/train_deit.py --smoke                    everything, in two minutes

Paper: DeiT (https://arxiv.org/abs/2012.12877), table 9; with --preset deit3 DeiT III
(https://arxiv.org/abs/2204.07118), table 1: 800 epochs at the image size of the
model's official command, before it is fine-tuned by finetune.py --preset deit3.
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
from keras_cait.training.settings.model_settings import pretraining_of
from keras_cait.training.settings.presets import DEIT, DEIT3

PRESETS = presets_of(DEIT, model="DeiT_S") | {
    "deit3": {**DEIT3, "model": "DeiT3_B"},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    run = partial(train, families=("deit", "deit3"))
    return launch(
        TrainConfig, PRESETS, run, __doc__ or "", arguments, by_model=pretraining_of
    )


if __name__ == "__main__":
    sys.exit(main())
