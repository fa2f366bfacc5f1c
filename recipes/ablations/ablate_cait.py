"""Repeats the ablations of the CaiT and DeiT papers on small images.

    python recipes/ablations/ablate_cait.py --table scaling --data-dir CIFAR
    python recipes/ablations/ablate_cait.py --table token --data-dir CIFAR
    python recipes/ablations/ablate_cait.py --table distillation --data-dir CIFAR

- `scaling`: depth and residual scaling (none, ReZero and SkipInit, Fixup, one scalar,
  LayerScale); CaiT (https://arxiv.org/abs/2103.17239), table 1.
- `token`: insertion of the class token (at the input, late, never), and number of
  class-attention blocks; CaiT, table 2.
- `distillation`: the same student without distillation, with soft and hard
  distillation through one head, and with a token; DeiT
  (https://arxiv.org/abs/2012.12877), table 3; and the disagreement of class head,
  distillation head, undistilled student and teacher, DeiT, table 4.

Every row of a table has the same budget and the same seeds. The papers trained each
row for 300 epochs on ImageNet. recipes/README.md has results on CIFAR-10.

In the output folder: results.csv, with a new line after each training, table.md and
config.json. The last line of the standard output is a JSON object.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is imported

import keras_cait_command  # first: then keras_cait does not import Keras
from keras_cait.command_line.flags import option
from keras_cait.training.settings.presets import (
    DIGITS,
    SMOKE,
    THUMBNAILS,
    Preset,
)
from keras_cait.training.settings.run_settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class AblationSettings(RunSettings):
    """Settings of a comparison: table, seeds and sizes of the networks."""

    table: Literal["scaling", "token", "distillation"] = option(
        "scaling", "table to repeat"
    )
    seeds: int = option(1, "number of seeds for each row, from --seed on")
    depths: str = option("12,24", "numbers of blocks of the table scaling")
    depth: int = option(12, "number of blocks of the other tables")
    embed_dim: int = option(64, "length of a token")
    num_heads: int = option(4, "heads of each attention")
    patch_size: int = option(4, "side of a patch in pixels")
    teacher: str = option("convnet", "a .keras file, or convnet")
    teacher_epochs: int = option(8, "epochs of the teacher")
    teacher_learning_rate: float = option(4e-3, "its peak learning rate")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check("seeds", self.seeds >= 1, "1 or more")
        whole = all(part.strip().isdecimal() for part in self.depths.split(","))
        self._check("depths", whole, "whole numbers, separated by commas")

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes that all networks of the tables share."""
        names = ("embed_dim", "num_heads", "patch_size")
        return {name: getattr(self, name) for name in names}


PRESETS: dict[str, Preset] = {
    "thumbnails": THUMBNAILS,
    "photographs": {**THUMBNAILS, "image_size": 32},
    "digits": DIGITS,
    "smoke": {
        **SMOKE,
        "limit": 128,
        "epochs": 1,
        "warmup_epochs": 0,
        "ema": None,
        "embed_dim": 16,
        "depths": "2,4",
        "depth": 2,
        "teacher_epochs": 1,
    },
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the recipe; returns the exit code."""
    given = keras_cait_command.parse_flags(
        AblationSettings, arguments, description=__doc__ or ""
    )
    # Here, so that --help answers at once.
    from ablation_tables import ablate

    from keras_cait.training.programs.launch import run_recipe

    return run_recipe(AblationSettings, PRESETS, ablate, given)


if __name__ == "__main__":
    sys.exit(main())
