r"""Measures a model on images: top-1 and top-5 accuracy, by class, and speed.

    python recipes/evaluate.py --model deit_tiny_patch16_224 --weights imagenet \
        --data-dir imagenet/val
    python recipes/evaluate.py --weights run/model.keras --dataset cifar10
    python recipes/evaluate.py --model CaiT_XXS24 --weights cait.safetensors \
        --data-dir photos/test --per-class

DIR holds one folder per class, or train/ and val/ or test/ with such folders. Classes
of images and model are matched by name if the model has names (WordNet ids work for
ImageNet's). Otherwise, and with --match index, the index of a class is that of its
folder, sorted by name; if there is a train/ folder, its folders count. The
preprocessing is the model's, unless a flag changes it: the shorter side is resized to
image size / crop percentage, the center is cropped, then (x / 255 - mean) / std.
--validation-split takes the part of a folder that a training with the same flag kept
for tests.

Papers: top-1 accuracy of every table. The official code evaluates DeiT with
--crop-pct 0.875, timm's configurations with 0.9; CaiT with 1.0.

The last line of the standard output is a JSON object: top1, top5 (in percent),
images, images_per_second; for a distilled model also those of both heads.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("evaluate",), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
