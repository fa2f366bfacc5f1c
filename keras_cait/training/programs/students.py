"""Models that recipes train: a published variant, or a size from the flags."""

from typing import Any

import keras

from keras_cait.models.published.families import FAMILIES
from keras_cait.models.published.registry import find_variant
from keras_cait.suggestion import did_you_mean
from keras_cait.typing import Shape
from keras_cait.variants import VARIANTS

_SIZES = ("embed_dim", "depth", "num_heads", "patch_size")


def build_student(
    name: str,
    *families: str,
    input_shape: Shape,
    classes: int,
    distilled: bool = False,
    drop_path_rate: float | None = None,
) -> keras.Model:
    """Builds a transformer of images in [0, 255], with random weights.

    `name` is a builder's ("_Distilled" has no effect, `distilled` decides), timm's, or
    a size of the first family, "embed_dim=64,depth=4,num_heads=4,patch_size=2".
    Families are "deit", "cait" and "deit3". `drop_path_rate` is None for the variant's
    own.
    """
    family, sizes, published_rate = _sizes_of(name, families)
    options: dict[str, Any] = {"distilled": distilled} if family != "deit3" else {}
    if distilled and family == "deit3":
        raise ValueError(
            "A student to distill must have a distillation token, which DeiT-III has "
            f"not. Received: {name!r}. Take a DeiT or a CaiT."
        )
    return FAMILIES[family](
        **{**sizes, **options},
        input_shape=input_shape,
        classes=classes,
        drop_path_rate=published_rate if drop_path_rate is None else drop_path_rate,
        include_preprocessing=True,
        name=family,  # without the number that Keras gives a second model
    )


def _sizes_of(
    name: str, families: tuple[str, ...]
) -> tuple[str, dict[str, Any], float]:
    """Family of a model, arguments of its builder, and its stochastic depth."""
    given = [part.partition("=") for part in name.split(",")]
    sizes = {key.strip(): value.strip() for key, _, value in given}
    if set(sizes) == set(_SIZES) and all(v.isdecimal() for v in sizes.values()):
        return families[0], {size: int(sizes[size]) for size in _SIZES}, 0.0
    known = [key for key, row in VARIANTS.items() if row.family in families]
    try:
        variant = find_variant(name)
    except ValueError:
        variant = None
    if variant is not None and variant.family in families:
        return variant.family, variant.sizes, variant.drop_path_rate
    raise ValueError(
        f"The model must be one of {', '.join(known)}, or a size such as "
        "embed_dim=64,depth=4,num_heads=4,patch_size=2 with whole numbers. "
        f"Received: {name!r}.{did_you_mean(name, known)}"
    )
