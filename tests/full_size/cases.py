"""Cases of the comparison with timm; both environments import it, so no framework."""

import argparse
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One model at one image size.

    Attributes:
        timm_name: The model's name in timm.
        height: Height of the images, in pixels.
        width: Width of the images, in pixels.
        batch: Number of images; one for large models.
    """

    timm_name: str
    height: int
    width: int
    batch: int = 2

    @property
    def name(self) -> str:
        """For example "cait_xxs24_224", or "cait_xxs24_224-224x320" for a rectangle."""
        if self.height == self.width:
            return self.timm_name
        return f"{self.timm_name}-{self.height}x{self.width}"

    def weights(self, folder: Path) -> Path:
        """The file of the weights, under timm's names."""
        return folder / f"{self.name}.safetensors"

    def numbers(self, folder: Path) -> Path:
        """The file of the images, `(batch, height, width, 3)`, and the logits."""
        return folder / f"{self.name}.npz"


# Limit of the largest difference, divided by the largest logit: a tenth of the promised
# one, so that an epsilon of 1e-5 in the norms fails too.
LIMIT = 1e-5

CASES = (
    Case("cait_xxs24_224", 224, 224),
    Case("cait_xxs24_384", 384, 384),
    Case("cait_xxs36_224", 224, 224),
    Case("cait_xxs36_384", 384, 384),
    Case("cait_xs24_384", 384, 384),
    Case("cait_s24_224", 224, 224),
    Case("cait_s24_384", 384, 384),
    Case("cait_s36_384", 384, 384),
    Case("cait_m36_384", 384, 384, batch=1),
    Case("cait_m48_448", 448, 448, batch=1),
    Case("deit_tiny_patch16_224", 224, 224),
    Case("deit_small_patch16_224", 224, 224),
    Case("deit_base_patch16_224", 224, 224),
    Case("deit_base_patch16_384", 384, 384),
    Case("deit_tiny_distilled_patch16_224", 224, 224),
    Case("deit_small_distilled_patch16_224", 224, 224),
    Case("deit_base_distilled_patch16_224", 224, 224),
    Case("deit_base_distilled_patch16_384", 384, 384),
    Case("deit3_small_patch16_224", 224, 224),
    Case("deit3_small_patch16_384", 384, 384),
    Case("deit3_medium_patch16_224", 224, 224),
    Case("deit3_base_patch16_224", 224, 224),
    Case("deit3_base_patch16_384", 384, 384),
    Case("deit3_large_patch16_224", 224, 224, batch=1),
    Case("deit3_large_patch16_384", 384, 384, batch=1),
    Case("deit3_huge_patch14_224", 224, 224, batch=1),
    # Rectangles, wide and tall: rows and columns must not be mixed up.
    Case("cait_xxs24_224", 224, 320),
    Case("deit_small_patch16_224", 192, 288),
    Case("deit_tiny_distilled_patch16_224", 320, 224),
    Case("deit3_small_patch16_224", 224, 160),
    Case("regnety_160", 224, 224),
    Case("regnety_160", 225, 301),  # odd: the offset of strides matters
)

# Unpublished sizes, which keras_cait writes and timm reads.
_TRANSFORMER = {"patch_size": 8, "embed_dim": 48, "depth": 3, "num_heads": 4}
WRITTEN = {
    "cait": _TRANSFORMER,
    "deit_distilled": _TRANSFORMER,
    "deit3": _TRANSFORMER,
    "regnety": {"depth": 7, "w0": 8, "wa": 8.0, "wm": 1.8, "group_size": 8},
}
WRITTEN_IMAGE = (40, 24)  # height, width
WRITTEN_CLASSES = 7


def cases_like(*patterns: str) -> list[Case]:
    """Cases whose names match a pattern, such as "cait_*"; each must match one."""
    for pattern in patterns:
        if not any(fnmatchcase(case.name, pattern) for case in CASES):
            names = ", ".join(case.name for case in CASES)
            raise ValueError(f"Expected one of {names}. Received: {pattern}")
    return [
        case
        for case in CASES
        if any(fnmatchcase(case.name, pattern) for pattern in patterns)
    ]


def command_line(description: str) -> argparse.ArgumentParser:
    """A parser of the arguments that all scripts here share."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="weights, images and logits")
    parser.add_argument("--cases", nargs="+", default=["*"], metavar="NAME")
    return parser
