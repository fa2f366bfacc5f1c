"""Trains a DeiT on labels alone.

    python recipes/train_deit.py                            handwritten digits
    python recipes/train_deit.py --data-dir DIR             your own images
    python recipes/train_deit.py --preset imagenet --dataset imagenet2012
    python recipes/train_deit.py --smoke                    everything, in two minutes

    python recipes/train_deit.py --preset deit3 --dataset imagenet2012

Paper: DeiT (https://arxiv.org/abs/2012.12877), table 9. --preset deit3: DeiT III
(https://arxiv.org/abs/2204.07118), table 1: 800 epochs at the image size of the
model's official command; then finetune.py --preset deit3.
Hardware: the authors trained Ti and S on 4 GPUs (README_deit.md:212), B on 16.
Expected on ImageNet: DeiT-Ti 72.2 %, S 79.8 %, B 81.8 %; DeiT III B at 192 pixels
82.8 %. More measurements: recipes/README.md.

In the output folder: model.keras (takes images in [0, 255]), history.csv,
tensorboard/, curves.png and config.json. The last line of the standard output is a
JSON object with the results.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("train", "deit"), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
