"""Checks of the arguments that every model function takes."""

from collections.abc import Collection, Mapping
from typing import Any

from keras_cait.layers.checks import check_positive, is_integer
from keras_cait.suggestion import did_you_mean
from keras_cait.typing import Shape
from keras_cait.variants import VARIANTS

# Names that timm, torchvision and transformers use, and what Keras has instead.
_KERAS_NAMES = {
    "num_classes": "`classes`",
    "num_labels": "`classes`",
    "pretrained": '`weights`: "imagenet" for published ones, None for random ones',
    "checkpoint_path": "`weights`, which takes the path of a file",
    "img_size": "`input_shape`: (height, width, channels)",
    "image_size": "`input_shape`: (height, width, channels)",
    "in_chans": "the last number of `input_shape`: (height, width, channels)",
    "num_channels": "the last number of `input_shape`: (height, width, channels)",
    "global_pool": "`pooling`, together with include_top=False",
    "drop_rate": "`dropout_rate`",
    "attn_drop_rate": "`attention_dropout_rate`",
    "drop_path": "`drop_path_rate`",
    "init_scale": "`init_values`",
    "activation": "`classifier_activation`",
    "include_rescaling": "`include_preprocessing`",
}


def refuse_unknown(
    given: Mapping[str, Any], known: Collection[str], function_name: str
) -> None:
    """Raises `TypeError` that names the right argument for each one not `known`."""
    variant = VARIANTS.get(function_name)
    sizes = sorted(given.keys() & variant.sizes.keys()) if variant else []
    if variant and sizes:
        raise TypeError(
            f"{function_name} sets {', '.join(variant.sizes)}. Received: "
            f"{', '.join(sizes)}. For another size call keras_cait.CaiT, DeiT, DeiT3 "
            "or RegNetY."
        )
    unknown = {name: value for name, value in given.items() if name not in known}
    if not unknown:
        return
    hints = []
    for name in unknown:
        taken = _KERAS_NAMES.get(name)
        hint = f"; take {taken}." if taken else f".{did_you_mean(name, known)}"
        hints.append(f"{function_name} has no argument `{name}`{hint}")
    received = ", ".join(f"{name}={value!r}" for name, value in unknown.items())
    raise TypeError(f"{' '.join(hints)} Received: {received}")


def check_image_shape(input_shape: Shape, patch_size: int | None = None) -> None:
    """Raises `ValueError` for a shape that no model can be built for.

    A convnet, which has no patches, takes sides of any length.
    """
    if not _is_shape(input_shape):
        raise ValueError(
            "`input_shape` must be (height, width, channels), three whole numbers of "
            f"1 or more. Received: input_shape={input_shape!r}"
        )
    if patch_size is not None:
        check_positive(patch_size=patch_size)
    if _is_channels_first(input_shape, patch_size):
        channels, height, width = input_shape
        raise ValueError(
            "`input_shape` must be (height, width, channels), with the channels last: "
            f"({height}, {width}, {channels}). Received: input_shape={input_shape!r}"
        )
    if patch_size and (input_shape[0] % patch_size or input_shape[1] % patch_size):
        raise ValueError(
            "`patch_size` must divide `input_shape`. Received: "
            f"input_shape={tuple(input_shape)}, patch_size={patch_size}"
        )


def _is_shape(value: Any) -> bool:
    is_sequence = isinstance(value, (tuple, list)) and len(value) == 3
    return is_sequence and all(is_integer(side) and side > 0 for side in value)


def _is_channels_first(input_shape: Shape, patch_size: int | None) -> bool:
    """Whether the channels of a gray or color image come first.

    A first number of 1 or 3 that the patches divide counts as a height.
    """
    height, width, channels = (int(side or 0) for side in input_shape)
    fits = patch_size is not None and height % patch_size == 0
    return height in (1, 3) and min(width, channels) > 4 and not fits


def check_width(embed_dim: int, num_heads: int) -> None:
    """Raises `ValueError` unless the heads share the width evenly."""
    check_positive(embed_dim=embed_dim, num_heads=num_heads)
    if embed_dim % num_heads:
        raise ValueError(
            "`num_heads` must divide `embed_dim`. Received: "
            f"embed_dim={embed_dim}, num_heads={num_heads}"
        )
