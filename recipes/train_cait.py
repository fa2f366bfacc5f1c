"""Trains a CaiT on labels alone.

    python recipes/train_cait.py                            handwritten digits
    python recipes/train_cait.py --data-dir DIR             your own images
    python recipes/train_cait.py --preset imagenet --dataset imagenet2012
    python recipes/train_cait.py --smoke                    everything, in two minutes

Paper: CaiT (https://arxiv.org/abs/2103.17239), section 4 and table 3. The official
repository has no command for this run.
Hardware: 8 A100 trained CaiT-S24 in 43 hours, in another implementation; see
recipes/cluster/README.md.
Expected on ImageNet: CaiT-S24 82.7 %. More measurements: recipes/README.md.

In the output folder: model.keras (takes images in [0, 255]), history.csv,
tensorboard/, curves.png and config.json. The last line of the standard output is a
JSON object with the results.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("train", "cait"), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
