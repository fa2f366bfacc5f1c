"""Classifiers of keras-cv as teachers. keras-cv is imported at the first use."""

import json
from pathlib import Path
from typing import Any

import keras

from keras_cait.optional_packages import import_optional
from keras_cait.suggestion import did_you_mean
from keras_cait.training.teachers.input_layers import as_color_images, input_size
from keras_cait.training.teachers.keras_applications import (
    check_imagenet_or_none,
    could_not_build,
)
from keras_cait.typing import Shape

PREFIX = "keras_cv:"

# Sizes of these architectures, so that they need no network. keras-cv downloads the
# sizes of all others.
_RESNETS = {  # He et al., https://arxiv.org/abs/1512.03385, table 1
    18: ("basic_block", (2, 2, 2, 2)),
    34: ("basic_block", (3, 4, 6, 3)),
    50: ("block", (3, 4, 6, 3)),
    101: ("block", (3, 4, 23, 3)),
    152: ("block", (3, 8, 36, 3)),
}
_DENSENETS = {  # Huang et al., https://arxiv.org/abs/1608.06993, table 1
    121: (6, 12, 24, 16),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    f"resnet{depth}{suffix}": (
        backbone,
        {
            "stackwise_filters": [64, 128, 256, 512],
            "stackwise_blocks": list(blocks),
            "stackwise_strides": [1, 2, 2, 2],
            "block_type": block_type,
        },
    )
    for suffix, backbone in (("", "ResNetBackbone"), ("_v2", "ResNetV2Backbone"))
    for depth, (block_type, blocks) in _RESNETS.items()
} | {
    f"densenet{depth}": ("DenseNetBackbone", {"stackwise_num_repeats": list(repeats)})
    for depth, repeats in _DENSENETS.items()
}


def keras_cv_teacher(
    name: str, image_shape: Shape, classes: int, weights: str | Path | None
) -> tuple[keras.Model, bool]:
    """Builds a classifier of keras-cv, from images in [0, 255] to logits.

    `name` is "keras_cv:" and a preset, or the folder of a saved preset; `weights` is
    "imagenet" for those of the preset, or None. ResNets and DenseNets with random
    weights need no network. A head for another number of classes is replaced.
    Returns the model, and whether its head has trained weights.
    """
    preset = name.removeprefix(PREFIX)
    check_imagenet_or_none(name, weights)
    architecture = preset.removesuffix("_classifier").removesuffix("_imagenet")
    size = input_size(image_shape)
    if weights is None and architecture in ARCHITECTURES:
        backbone, head = _random(architecture, size), []
    else:
        backbone, head = _from_preset(preset, classes, weights)
    if not any(isinstance(layer, keras.layers.Rescaling) for layer in backbone.layers):
        raise ValueError(
            "A teacher must take images in [0, 255]. Received: "
            f"{name}, which was made with include_rescaling=False."
        )
    # A functional model of the same layers can be saved and loaded.
    x = backbone.output
    for layer in head or [keras.layers.GlobalAveragePooling2D(name="pool")]:
        x = layer(x)
    body = keras.Model(backbone.inputs, x, name=Path(architecture).name)
    inputs = keras.Input(image_shape, name="images")
    outputs = body(as_color_images(inputs, size))
    if not head:
        outputs = keras.layers.Dense(classes, name="head")(outputs)
    return keras.Model(inputs, outputs, name="teacher"), bool(head)


def _random(architecture: str, size: tuple[int, int]) -> keras.Model:
    backbone, sizes = ARCHITECTURES[architecture]
    build = getattr(import_optional("keras_cv.models", "recipes"), backbone)
    return build(**sizes, include_rescaling=True, input_shape=(*size, 3))


def _from_preset(
    preset: str, classes: int, weights: str | Path | None
) -> tuple[keras.Model, list[keras.layers.Layer]]:
    """A backbone, and the trained layers of its head if they fit."""
    image_classifier = import_optional("keras_cv.models", "recipes").ImageClassifier
    if not Path(preset).is_dir():
        _check_preset(preset, image_classifier, weights)
    has_head = _has_head(preset, image_classifier)
    try:
        classifier = image_classifier.from_preset(
            preset,
            load_weights=weights is not None,
            **({} if has_head else {"num_classes": classes}),
        )
    except Exception as error:  # each source of presets has its own errors
        offline = "a ResNet or a DenseNet with weights=None (--teacher-weights none)"
        message = could_not_build(PREFIX + preset, weights, error, offline=offline)
        raise ValueError(message) from error
    trained = has_head and weights is not None and classifier.num_classes == classes
    return classifier.backbone, classifier.layers[-2:] if trained else []


def _check_preset(
    preset: str, image_classifier: Any, weights: str | Path | None
) -> None:
    known = image_classifier.presets
    if preset not in known:
        hint = did_you_mean(preset, [*known, *ARCHITECTURES], prefix=PREFIX)
        raise ValueError(
            "Expected a preset of keras_cv.models.ImageClassifier, or the folder of "
            f"one. Received: {PREFIX}{preset}.{hint}"
        )
    loadable = image_classifier.presets_with_weights
    if weights is not None and preset not in loadable:
        siblings = [name for name in loadable if name.startswith(f"{preset}_")]
        raise ValueError(
            f"No weights were published for {PREFIX}{preset}. Received: weights="
            f"{weights!r}. Pass weights=None (--teacher-weights none)"
            + "".join(f", or {PREFIX}{name}" for name in siblings)
        )


def _has_head(preset: str, image_classifier: Any) -> bool:
    """Whether a preset is a classifier, not only a backbone."""
    config = Path(preset, "config.json")
    if config.is_file():
        found = json.loads(config.read_text(encoding="utf-8"))
        return found["class_name"] == image_classifier.__name__
    return preset not in image_classifier.backbone_presets
