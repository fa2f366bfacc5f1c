"""Checks of the arguments that every model function takes."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, ParamSpec, TypeVar

import keras

from keras_cait.suggestion import did_you_mean

P = ParamSpec("P")
R = TypeVar("R")

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


def refuse_unknown_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Makes a function name the Keras argument for one that it does not have.

    Example:
        >>> @refuse_unknown_arguments
        ... def build(classes=1000):
        ...     return classes
        >>> build(num_classes=10)
        Traceback (most recent call last):
            ...
        TypeError: build has no argument `num_classes`; take `classes`. Received: \
num_classes=10

    """
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        refuse_unknown(kwargs, known, function.__name__)
        return function(*args, **kwargs)

    return checked


def refuse_unknown(
    given: Mapping[str, Any], known: Collection[str], function_name: str
) -> None:
    """Raises `TypeError` that names what to take for each argument not `known`."""
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


def default_name(name: str) -> str:
    """Returns the name, or the name and a number where a model has it already.

    Keras names layers in the same way, so that two models of the same kind can stand
    in one graph.

    Example:
        >>> default_name("model_of_the_example"), default_name("model_of_the_example")
        ('model_of_the_example', 'model_of_the_example_1')

    """
    used = keras.backend.get_uid(name) - 1
    return f"{name}_{used}" if used else name
