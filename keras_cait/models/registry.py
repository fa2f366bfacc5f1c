"""Models by name: timm's names, and ours."""

import fnmatch
from typing import Any

import keras

from keras_cait.models import builders
from keras_cait.suggestion import did_you_mean
from keras_cait.variants import VARIANTS, Checkpoint, Variant


def list_models(pattern: str = "*") -> list[str]:
    """timm's names of the models that have published weights.

    Args:
        pattern: Which ones, with the wildcards of a shell.

    Example:
        >>> list_models("cait_s24*")
        ['cait_s24_224', 'cait_s24_384']

    """
    return sorted(fnmatch.filter(_by_timm_name(), pattern))


def create_model(name: str, **overrides: Any) -> keras.Model:
    """Builds a model by timm's name, for the image size that the name says.

    Args:
        name: For example "cait_s24_384"; with one of timm's tags behind a dot, as
            in "deit3_base_patch16_224.fb_in22k_ft_in1k", "imagenet" means the
            weights of that tag. The builders' own names ("CaiT_S24") work too.
        **overrides: Arguments of the builder, such as `weights`, which is
            "imagenet" by default, `classes` or `input_shape`.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: If there is no such model; the nearest name is suggested.

    Example:
        >>> create_model("deit_tiny_patch16_224", weights=None, classes=5).output_shape
        (None, 5)

    """
    variant, checkpoint = find_variant(name)
    if checkpoint is not None:
        overrides["_checkpoint"] = checkpoint
    return getattr(builders, variant.name)(**overrides)


def find_variant(name: str) -> tuple[Variant, Checkpoint | None]:
    """The variant that a name means, and the weights if it is timm's.

    Raises:
        ValueError: If there is no such name; the nearest one is suggested.

    """
    if name in VARIANTS:
        return VARIANTS[name], None
    known = _by_timm_name()
    stem, _, tag = str(name).partition(".")
    rows = [row for row in known.get(stem, ()) if tag in ("", row[1].tag)]
    if rows:
        return rows[0]
    names = [*known, *VARIANTS, *(f"{n}.{c.tag}" for n in known for _, c in known[n])]
    raise ValueError(
        "Expected a name of keras_cait.list_models(), perhaps with its tag, or of a "
        f"builder. Received: {name!r}.{did_you_mean(str(name), names)}"
    )


def _by_timm_name() -> dict[str, list[tuple[Variant, Checkpoint]]]:
    """The table by timm's names; of several weights the default ones come first."""
    table: dict[str, list[tuple[Variant, Checkpoint]]] = {}
    for variant in VARIANTS.values():
        for checkpoint in variant.checkpoints:
            table.setdefault(checkpoint.timm_name, []).append((variant, checkpoint))
    return table
