"""Distils a CaiT from a convnet, with a distillation token or without.

    python recipes/distill_cait.py                        handwritten digits
    python recipes/distill_cait.py --data-dir DIR         your own images
    python recipes/distill_cait.py --preset imagenet --dataset imagenet2012
    python recipes/distill_cait.py --smoke                everything, in two minutes

The published CaiTs were distilled through their one class head, which is what
`--no-distillation-token` does; by default the student has a token and a head for
what the teacher says, as DeiT has.

Paper: CaiT (https://arxiv.org/abs/2103.17239), section 4.5 and table 5, and DeiT
(https://arxiv.org/abs/2012.12877), section 4. The official repository has no command
for this run. Durations, expected and measured results: recipes/README.md.

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
from keras_cait.training.settings.presets import CAIT

PRESETS = presets_of(CAIT, student="CaiT_XXS24")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    train = partial(distil, family="cait")
    return launch(DistillConfig, PRESETS, train, __doc__ or "", arguments)


if __name__ == "__main__":
    sys.exit(main())
