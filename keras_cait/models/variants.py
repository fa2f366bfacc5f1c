"""The published sizes as data: one row a variant, each with its source."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One published model.

    Attributes:
        name: The builder's name, as in the papers.
        timm_name: The same model in timm, without the tag of its weights; None
            where timm has none.
        hub_id: Repository of the published weights on the Hugging Face hub; None
            where none were published.
        embed_dim: Length of a token.
        depth: Number of self-attention blocks.
        num_heads: Heads of each block.
        patch_size: Side of a patch in pixels.
        image_size: Side of the images the weights were trained on, in pixels.
        distilled: Whether it has a distillation token and head.
        drop_path_rate: Stochastic depth of the published training.
        source: Where the numbers stand.
    """

    name: str
    timm_name: str | None = None
    hub_id: str | None = None
    embed_dim: int
    depth: int
    num_heads: int
    patch_size: int = 16
    image_size: int = 224
    distilled: bool = False
    drop_path_rate: float
    source: str


def _deit(
    name: str, timm_name: str, embed_dim: int, num_heads: int, distilled: bool
) -> Variant:
    return Variant(
        name=name,
        timm_name=timm_name,
        hub_id=f"timm/{timm_name}.fb_in1k",
        embed_dim=embed_dim,
        depth=12,
        num_heads=num_heads,
        distilled=distilled,
        drop_path_rate=0.1,
        source="DeiT, tables 1 and 9",
    )


DEIT_VARIANTS = {
    variant.name: variant
    for variant in (
        _deit("DeiT_Ti", "deit_tiny_patch16_224", 192, 3, False),
        _deit("DeiT_S", "deit_small_patch16_224", 384, 6, False),
        _deit("DeiT_B", "deit_base_patch16_224", 768, 12, False),
        _deit("DeiT_Ti_Distilled", "deit_tiny_distilled_patch16_224", 192, 3, True),
        _deit("DeiT_S_Distilled", "deit_small_distilled_patch16_224", 384, 6, True),
        _deit("DeiT_B_Distilled", "deit_base_distilled_patch16_224", 768, 12, True),
    )
}


def _cait(
    name: str,
    embed_dim: int,
    depth: int,
    drop_path_rate: float,
    image_size: int | None = None,
) -> Variant:
    """One row of CaiT's table 3; `image_size` where weights were published."""
    released = None
    if image_size is not None:
        released = f"{name.lower()}_{image_size}"
    return Variant(
        name=name,
        timm_name=released,
        hub_id=released and f"timm/{released}.fb_dist_in1k",
        embed_dim=embed_dim,
        depth=depth,
        num_heads=embed_dim // 48,  # 48 wide each, in every variant
        image_size=image_size or 224,
        drop_path_rate=drop_path_rate,
        source="CaiT, tables 3 and 4",
    )


CAIT_VARIANTS = {
    variant.name: variant
    for variant in (
        _cait("CaiT_XXS24", 192, 24, 0.05, 224),
        _cait("CaiT_XXS36", 192, 36, 0.1, 224),
        _cait("CaiT_XS24", 288, 24, 0.05, 384),
        _cait("CaiT_XS36", 288, 36, 0.1),
        _cait("CaiT_S24", 384, 24, 0.1, 224),
        _cait("CaiT_S36", 384, 36, 0.2, 384),
        _cait("CaiT_S48", 384, 48, 0.3),
        _cait("CaiT_M24", 768, 24, 0.2),
        _cait("CaiT_M36", 768, 36, 0.3, 384),
        _cait("CaiT_M48", 768, 48, 0.4, 448),
    )
}
