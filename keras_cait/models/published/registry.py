"""Models by timm's names and by the names of the builders."""

import fnmatch
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from keras_cait.models.arguments import make_arguments
from keras_cait.models.classes.head_transfer import head_weights, reorder_heads
from keras_cait.models.classes.imagenet_classes import imagenet_names
from keras_cait.models.classes.names import class_names_from_metadata
from keras_cait.models.published.building import BUILDER_ARGUMENTS, build_variant
from keras_cait.preprocessing import Preprocessing
from keras_cait.suggestion import did_you_mean
from keras_cait.variants import VARIANTS, Checkpoint, Variant
from keras_cait.weights.load import check_source, load_tensors
from keras_cait.weights.metadata.source_metadata import (
    SourceMetadata,
    read_source_metadata,
)
from keras_cait.weights.normalization_warning import warn_about_normalization


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
    """Builds a model by timm's name, for the image size in the name.

    Args:
        name: For example "cait_s24_384"; with one of timm's tags behind a dot, as
            in "deit3_base_patch16_224.fb_in22k_ft_in1k", "imagenet" means the
            weights of that tag. The builders' own names ("CaiT_S24") work too.
        **overrides: Arguments of the builder, see
            `keras_cait.models.published.building.BuilderArguments`.

    Returns:
        A functional `keras.Model`.

    Raises:
        ValueError: If no model has this name; the nearest name is suggested.
        TypeError: If the builder does not have an argument.

    Example:
        >>> create_model("deit_tiny_patch16_224", weights=None, classes=5).output_shape
        (None, 5)

    """
    variant = find_variant(name)
    builder_arguments = BUILDER_ARGUMENTS[variant.family]
    arguments = make_arguments(builder_arguments, variant.name, **overrides)
    return build_variant(variant, arguments)


def model_with_weights(
    name: str,
    weights: str,
    *,
    preprocessing_overrides: Mapping[str, Any],
    new_head: bool = False,
    with_weights: bool = True,
    **options: Any,
) -> keras.Model:
    """Builds a model by name with weights, for programs with flags.

    `name` is as of `create_model`, `new_head` as of `load_weights`, and `weights`
    "imagenet", "none", or a source as of `load_weights`; `with_weights=False` loads its
    metadata alone. Heads for the same classes in another order are put in the order of
    `class_names` too; heads for other classes start anew. An override of `mean` or
    `std` silences the warning about unknown statistics. Without `class_names` among the
    builder's `options` the model gets those of the weights.
    """
    variant = find_variant(name)
    shape = options.get("input_shape", (variant.image_size, variant.image_size, 3))
    checkpoint = None
    if variant.checkpoints or weights == "imagenet":
        checkpoint = variant.checkpoint_for(shape)
    source, metadata = weights, SourceMetadata()
    if checkpoint is not None and weights == "imagenet":
        source = f"hf://{checkpoint.hub_id}"
    if weights != "none":
        check_source(source)
        metadata = read_source_metadata(source)
    published = checkpoint.preprocessing if checkpoint else Preprocessing()
    if "class_names" not in options:
        options["class_names"] = class_names_from_metadata(
            metadata, options.get("classes", 1000)
        )
    model = create_model(
        name,
        weights=None,
        preprocessing=replace(
            metadata.preprocessing or published, **preprocessing_overrides
        ),
        **options,
    )
    if weights == "none" or not with_weights:
        return model
    start = head_weights(model)
    load_tensors(model, source, new_head=new_head)
    if new_head and options["class_names"] is not None:
        loaded = imagenet_names() if metadata.imagenet else metadata.class_names
        reorder_heads(
            model, start, class_names=options["class_names"], loaded_names=loaded
        )
    if not {"mean", "std"} & preprocessing_overrides.keys():
        warn_about_normalization(model, metadata, source)
    return model


def find_variant(name: str) -> Variant:
    """The variant of a name; of timm's name, with the one checkpoint that it means."""
    if name in VARIANTS:
        return VARIANTS[name]
    known = _by_timm_name()
    stem, _, tag = str(name).partition(".")
    rows = [row for row in known.get(stem, ()) if tag in ("", row[1].tag)]
    if rows:
        variant, checkpoint = rows[0]
        return replace(variant, checkpoints=(checkpoint,))
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
