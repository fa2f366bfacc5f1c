"""Preprocessing and class names in the JSON files of repositories on the hub."""

import warnings
from collections.abc import Mapping
from typing import Any

from keras_cait.preprocessing import INTERPOLATIONS, Preprocessing

# The numbers of PIL, and so of Hugging Face's processors, for interpolations.
_RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}


def preprocessing_from_config(
    config: Mapping[str, Any], source: str = "config.json"
) -> Preprocessing | None:
    """The preprocessing that a configuration states; None if it states none.

    The configuration is timm's `config.json`, with or without `pretrained_cfg`
    (https://huggingface.co/docs/timm/reference/data), or a `preprocessor_config.json`
    of Hugging Face's processors
    (https://huggingface.co/docs/transformers/main_classes/image_processor).
    """
    inner = config.get("pretrained_cfg") or config
    mean = inner.get("mean", inner.get("image_mean"))
    std = inner.get("std", inner.get("image_std"))
    if mean is None or std is None:
        return None
    interpolation = inner.get("interpolation") or _RESAMPLE.get(
        inner.get("resample", 3), "bicubic"
    )
    if interpolation not in INTERPOLATIONS:
        warnings.warn(
            f"{source} resizes images with interpolation={interpolation!r}, which is "
            "not available; they are resized with 'bicubic'.",
            stacklevel=2,
        )
        interpolation = "bicubic"
    return Preprocessing(
        mean=mean,
        std=std,
        crop_pct=inner.get("crop_pct") or 1.0,
        interpolation=interpolation,
    )


def class_names_from_config(
    config: Mapping[str, Any],
) -> tuple[tuple[str, ...] | None, bool]:
    """The names of the classes, and whether they are ImageNet's by timm's tag.

    Example:
        >>> config = {"num_classes": 1000, "pretrained_cfg": {"tag": "a_in1k"}}
        >>> class_names_from_config(config)
        (None, True)

    """
    inner = config.get("pretrained_cfg") or {}
    names = config.get("label_names") or inner.get("label_names")
    by_index = config.get("id2label")
    if names is None and isinstance(by_index, Mapping):
        names = [by_index[key] for key in sorted(by_index, key=int)]
    if names:
        return tuple(str(name) for name in names), False
    classes = config.get("num_classes", inner.get("num_classes"))
    return None, classes == 1000 and str(inner.get("tag", "")).endswith("in1k")
