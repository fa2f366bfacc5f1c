"""Distills a CaiT from a convnet, with a distillation token or without.

    python recipes/distill_cait.py                        handwritten digits
    python recipes/distill_cait.py --data-dir DIR         your own images
    python recipes/distill_cait.py --preset imagenet --dataset imagenet2012
    python recipes/distill_cait.py --smoke                everything, in two minutes

The published CaiTs were distilled through their single class head, as
`--no-distillation-token` does. By default the student has a distillation token and a
head for it, like DeiT.

Paper: CaiT (https://arxiv.org/abs/2103.17239), section 4.5 and table 5, and DeiT
(https://arxiv.org/abs/2012.12877), section 4. The official repository has no command
for this run.
Hardware: recipes/cluster/README.md estimates the hours.
Expected on ImageNet: CaiT-S24 83.5 % with --no-distillation-token. More measurements:
recipes/README.md.

In the output folder: student.keras and teacher.keras (both take images in
[0, 255]), history.csv, tensorboard/, curves.png and config.json. The last line of
the standard output is a JSON object with the results.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("distill", "cait"), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
