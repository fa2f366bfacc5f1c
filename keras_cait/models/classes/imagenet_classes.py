"""Names and ids of the 1000 classes of ILSVRC 2012, in their order."""

import functools
import importlib.resources
import json
from collections.abc import Sequence


@functools.cache
def imagenet_classes() -> tuple[tuple[str, str], ...]:
    """WordNet id and name of each of the 1000 classes."""
    file = (
        importlib.resources.files("keras_cait.models.classes") / "imagenet_classes.json"
    )
    return tuple(
        (wordnet_id, name) for wordnet_id, name in json.loads(file.read_text())
    )


def imagenet_names() -> tuple[str, ...]:
    """The name of each class; two of them, "crane" and "maillot", name two classes."""
    return tuple(name for _, name in imagenet_classes())


def imagenet_ids() -> tuple[str, ...]:
    """The WordNet id of each class, such as "n01440764"."""
    return tuple(wordnet_id for wordnet_id, _ in imagenet_classes())


def is_imagenet(class_names: Sequence[str]) -> bool:
    """Whether these are the 1000 classes in order, by name or by WordNet id."""
    return tuple(class_names) in (imagenet_names(), imagenet_ids())
