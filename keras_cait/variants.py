"""Published sizes and checkpoints as data: one row a variant, with its source."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Weights that were published for one variant at one image size."""

    timm_name: str
    tag: str  # timm's name for the training of the weights
    image_size: int  # side of the training images, in pixels
    crop_pct: float  # as of `Preprocessing`

    @property
    def hub_id(self) -> str:
        """Its repository on the Hugging Face hub."""
        return f"timm/{self.timm_name}.{self.tag}"

    @property
    def preprocessing(self) -> Preprocessing:
        """Preprocessing of its images, without their size."""
        return Preprocessing(crop_pct=self.crop_pct)


@dataclass(frozen=True, kw_only=True)
class Variant(ABC):
    """One published model of any family."""

    name: str  # the builder's, as in the papers
    family: str  # "cait", "deit", "deit3" or "regnet"
    drop_path_rate: float  # of the published training
    source: str  # paper and tables of the numbers
    checkpoints: tuple[Checkpoint, ...] = ()  # the default ones first

    @property
    @abstractmethod
    def sizes(self) -> dict[str, Any]:
        """The arguments of its family's function for this variant."""

    @property
    def image_size(self) -> int:
        """Default side of its images, in pixels."""
        return self.checkpoints[0].image_size if self.checkpoints else 224

    def checkpoint_for(self, input_shape: Shape) -> Checkpoint:
        """The published weights whose images are nearest in size.

        Raises `ValueError` if none were published, and names the variants with weights.
        """
        if not self.checkpoints:
            siblings = (v for v in VARIANTS.values() if v.family == self.family)
            released = ", ".join(v.name for v in siblings if v.checkpoints)
            raise ValueError(
                f"No weights were published for {self.name}; they were for {released}. "
                "Received: weights='imagenet'. Pass weights=None, or a file's path."
            )
        side = (input_shape[0] * input_shape[1]) ** 0.5
        return min(self.checkpoints, key=lambda row: abs(row.image_size - side))


@dataclass(frozen=True, kw_only=True)
class TransformerVariant(Variant):
    """One published transformer; `TransformerSizes` describes its sizes."""

    embed_dim: int
    depth: int
    num_heads: int
    patch_size: int = 16
    distilled: bool = False  # has a distillation token and head

    @property
    def sizes(self) -> dict[str, Any]:
        names = ["patch_size", "embed_dim", "depth", "num_heads"]
        # For CaiT it is an option: no CaiT was published with a distillation token.
        if self.family == "deit":
            names.append("distilled")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class RegNetVariant(Variant):
    """One published RegNet; `RegNetSizes` describes its sizes."""

    depth: int
    w0: int
    wa: float
    wm: float
    group_size: int
    se_ratio: float

    @property
    def sizes(self) -> dict[str, Any]:
        names = ["depth", "w0", "wa", "wm", "group_size", "se_ratio"]
        return {name: getattr(self, name) for name in names}


def _checkpoints(
    stem: str, tag: str, image_sizes: tuple[int, ...]
) -> tuple[Checkpoint, ...]:
    """The weights of one training at each image size, with timm's `crop_pct`."""
    return tuple(
        Checkpoint(
            timm_name=f"{stem}_{image_size}",
            tag=tag,
            image_size=image_size,
            crop_pct=0.9 if (image_size, tag) == (224, "fb_in1k") else 1.0,
        )
        for image_size in image_sizes
    )


def _deit(
    name: str, size: str, embed_dim: int, num_heads: int, *image_sizes: int
) -> Variant:
    """One row of DeiT's table 1."""
    return TransformerVariant(
        name=name,
        family="deit",
        embed_dim=embed_dim,
        depth=12,
        num_heads=num_heads,
        distilled=name.endswith("_Distilled"),
        drop_path_rate=0.1,
        source="DeiT, tables 1 and 9",
        checkpoints=_checkpoints(f"deit_{size}_patch16", "fb_in1k", image_sizes),
    )


def _cait(
    name: str, embed_dim: int, depth: int, drop_path_rate: float, *image_sizes: int
) -> Variant:
    """One row of CaiT's table 3, and the image sizes whose weights were published."""
    return TransformerVariant(
        name=name,
        family="cait",
        embed_dim=embed_dim,
        depth=depth,
        num_heads=embed_dim // 48,  # 48 wide each, in every variant
        drop_path_rate=drop_path_rate,
        source="CaiT, tables 3 and 4",
        checkpoints=_checkpoints(name.lower(), "fb_dist_in1k", image_sizes),
    )


def _deit3(
    name: str,
    size: str,
    embed_dim: int,
    depth: int,
    drop_path_rate: float,
    *image_sizes: int,
    patch_size: int = 16,
) -> Variant:
    """One row of DeiT-III's table 1; weights of ImageNet-1k first, then of 22k."""
    stem = f"deit3_{size}_patch{patch_size}"
    return TransformerVariant(
        name=name,
        family="deit3",
        embed_dim=embed_dim,
        depth=depth,
        num_heads=embed_dim // 64 if patch_size == 16 else 16,
        patch_size=patch_size,
        drop_path_rate=drop_path_rate,
        source="DeiT III, table 1, and the official README's commands",
        checkpoints=(
            *_checkpoints(stem, "fb_in1k", image_sizes),
            *_checkpoints(stem, "fb_in22k_ft_in1k", image_sizes),
        ),
    )


_REGNETY_16GF = RegNetVariant(
    name="RegNetY_16GF",
    family="regnet",
    depth=18,
    w0=200,  # this and the next two with the digits of the official code
    wa=106.23,
    wm=2.48,
    group_size=112,
    se_ratio=0.25,
    drop_path_rate=0.0,  # RegNet has none, and DeiT names none for its teacher
    source="RegNet, figure 16",
    checkpoints=tuple(
        Checkpoint(timm_name="regnety_160", tag=tag, image_size=224, crop_pct=0.95)
        # The first is the teacher of DeiT and CaiT, trained by DeiT's authors (section
        # 5.2); the second is more accurate, and timm's default.
        for tag in ("deit_in1k", "sw_in12k_ft_in1k")
    ),
)

VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        _deit("DeiT_Ti", "tiny", 192, 3, 224),
        _deit("DeiT_S", "small", 384, 6, 224),
        _deit("DeiT_B", "base", 768, 12, 224, 384),
        _deit("DeiT_Ti_Distilled", "tiny_distilled", 192, 3, 224),
        _deit("DeiT_S_Distilled", "small_distilled", 384, 6, 224),
        _deit("DeiT_B_Distilled", "base_distilled", 768, 12, 224, 384),
        _deit3("DeiT3_S", "small", 384, 12, 0.05, 224, 384),
        # No command was published for M: between those of S and B.
        _deit3("DeiT3_M", "medium", 512, 12, 0.1, 224),
        _deit3("DeiT3_B", "base", 768, 12, 0.2, 224, 384),
        _deit3("DeiT3_L", "large", 1024, 24, 0.45, 224, 384),
        _deit3("DeiT3_H", "huge", 1280, 32, 0.6, 224, patch_size=14),
        _cait("CaiT_XXS24", 192, 24, 0.05, 224, 384),
        _cait("CaiT_XXS36", 192, 36, 0.1, 224, 384),
        _cait("CaiT_XS24", 288, 24, 0.05, 384),
        _cait("CaiT_XS36", 288, 36, 0.1),
        _cait("CaiT_S24", 384, 24, 0.1, 224, 384),
        _cait("CaiT_S36", 384, 36, 0.2, 384),
        _cait("CaiT_S48", 384, 48, 0.3),
        _cait("CaiT_M24", 768, 24, 0.2),
        _cait("CaiT_M36", 768, 36, 0.3, 384),
        _cait("CaiT_M48", 768, 48, 0.4, 448),
        _REGNETY_16GF,
    )
}
