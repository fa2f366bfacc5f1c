r"""Fine-tunes a model at another resolution or on another data set.

    python recipes/finetune.py --model CaiT_XXS24 --weights imagenet --data-dir DIR
    python recipes/finetune.py --model deit_base_patch16_224 --preset deit-384 \
        --dataset imagenet2012               the weights of timm's name
    python recipes/finetune.py --model DeiT_S_Distilled --teacher teacher.keras \
        --data-dir DIR                       both heads, as DeiT's authors advise
    python recipes/finetune.py --weights run/model.keras --data-dir DIR --scratch
    python recipes/finetune.py --smoke

`--scratch` also trains the same model from random weights, with the same budget and
seed, to measure the gain from the checkpoint. Position embeddings are resampled
bicubically. For other classes the head is new.

Papers: DeiT (https://arxiv.org/abs/2012.12877), section 5.4, tables 7 and 8; CaiT
(https://arxiv.org/abs/2103.17239), section 4.4; DeiT III
(https://arxiv.org/abs/2204.07118). The presets have the settings that their authors
published, or gave in answers.
Hardware: the authors fine-tuned DeiT-B on 16 GPUs (README_deit.md:246).
Expected on ImageNet: DeiT-B at 384 pixels 82.9 % (83.1 % in the paper); DeiT III B
83.8 % at 224 pixels. More measurements: recipes/README.md.

In the output folder: finetuned.keras (takes images in [0, 255]), history.csv,
tensorboard/, curves.png and config.json. The last line of the standard output is a
JSON object with the results.
"""

import sys
from functools import partial

from keras_cait_command import main as keras_cait

main = partial(keras_cait, command=("finetune",), description=__doc__)

if __name__ == "__main__":
    sys.exit(main())
