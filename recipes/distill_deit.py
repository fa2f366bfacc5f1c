"""Distills a DeiT from a convnet, and measures the gain over training on labels.

    python recipes/distill_deit.py

trains a small convnet, then the same DeiT twice with the same budget and seed: on
labels alone, and on labels and the teacher. By default the images are scikit-learn's
handwritten digits, which need no download.

    python recipes/distill_deit.py --data-dir DIR         your own images
    python recipes/distill_deit.py --dataset cifar10      any TFDS name
    python recipes/distill_deit.py --teacher out/teacher.keras
    python recipes/distill_deit.py --preset imagenet --dataset imagenet2012
    python recipes/distill_deit.py --smoke                everything, in two minutes

Paper: DeiT (https://arxiv.org/abs/2012.12877), section 4 and table 3.
Hardware: the authors distilled on 16 GPUs (README_deit.md:239); the digits take less
than 5 minutes on 2 CPU cores.
Expected on ImageNet: DeiT-Ti 74.5 %, S 81.2 %, B 83.4 %. On the digits: without a
teacher 97.7 %, with it 97.9 %. More measurements: recipes/README.md.

In the output folder: student.keras and teacher.keras (both take images in
[0, 255]), history.csv, tensorboard/, curves.png and config.json. The last line of
the standard output is a JSON object with the results.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("distill", "deit"), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
