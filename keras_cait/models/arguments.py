"""Arguments that the model functions share, each described once.

A model function takes one object of arguments. `with_arguments_of` gives it the fields
of that object as its signature, with their names, types and defaults.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from keras_cait.layers.checks import check_positive, check_rates
from keras_cait.models.argument_checks import (
    check_image_shape,
    check_width,
    refuse_unknown,
)
from keras_cait.models.classes.names import check_class_names
from keras_cait.preprocessing import Preprocessing
from keras_cait.typing import Shape, Tensor

P = ParamSpec("P")
A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class ModelArguments:
    """Arguments of every model function.

    Attributes:
        input_shape: Height, width (pixels) and channels; the patches of a transformer
            must divide both sides.
        include_top: Whether the model ends in the classifier.
        include_preprocessing: Whether the model takes images in [0, 255] and
            normalizes them. Otherwise it takes normalized images.
        preprocessing: A `keras_cait.Preprocessing`: the mean and standard deviation
            that images are normalized with, and how they are cropped and resized;
            None for the published one of these sizes. The model stores it.
        input_tensor: A Keras tensor to use as the input.
        pooling: Output of a transformer without top: None, the tokens
            `(batch, tokens, embed_dim)`; "token", the class token (the mean of class
            and distillation token of a distilled model); "avg", the mean patch token.
            Output of a RegNet: None, the feature map `(batch, rows, columns, width)`;
            "avg" or "max", its mean or maximum over the image.
        classes: Number of classes.
        class_names: Names of the classes, in order, which the model stores; None for
            no names.
        classifier_activation: Activation of the output; None for logits.
        drop_path_rate: Stochastic depth, in [0, 1).
        name: Name of the model; None for the function's in lower case, with a number
            if that name is taken.
    """

    input_shape: Shape = (224, 224, 3)
    include_top: bool = True
    include_preprocessing: bool = False
    preprocessing: Preprocessing | None = None
    input_tensor: Tensor | None = None
    pooling: str | None = None
    classes: int = 1000
    class_names: Sequence[str] | None = None
    classifier_activation: str | None = "softmax"
    drop_path_rate: float = 0.0
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class TransformerSizes:
    """Sizes of a transformer, which a published variant sets.

    Attributes:
        patch_size: Side of a patch in pixels.
        embed_dim: Length of a token; a multiple of `num_heads`.
        depth: Number of self-attention blocks.
        num_heads: Heads of each attention.
    """

    patch_size: int = 16
    embed_dim: int
    depth: int
    num_heads: int


@dataclass(frozen=True, kw_only=True)
class TransformerOptions:
    """Options of a transformer of any size.

    Attributes:
        mlp_ratio: Width of the feed-forward layers as a multiple of `embed_dim`.
        dropout_rate: Dropout, in [0, 1), at the places that each model names.
        attention_dropout_rate: Dropout on self-attention, in [0, 1).
        recompute: Whether training recomputes attention and feed-forward for the
            gradient, see `keras_cait.layers.SelfAttention`. Not with dropout.
        attention_implementation: Way to compute attention, the `implementation` of
            `keras_cait.layers.SelfAttention` (of a CaiT, of `TalkingHeads`). Exports do
            not depend on it.
    """

    mlp_ratio: float = 4.0
    dropout_rate: float = 0.0
    attention_dropout_rate: float = 0.0
    recompute: bool = False
    attention_implementation: str = "auto"


@dataclass(frozen=True, kw_only=True)
class TransformerArguments(ModelArguments, TransformerOptions, TransformerSizes):
    """Arguments of every transformer."""

    @property
    def grid_size(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        height, width, _ = self.input_shape
        return height // self.patch_size, width // self.patch_size


def check_model(arguments: ModelArguments, patch_size: int | None = None) -> None:
    """Raises `ValueError` if an argument of any model is out of range."""
    check_image_shape(arguments.input_shape, patch_size)
    classes = arguments.classes if arguments.include_top else None
    check_class_names(arguments.class_names, classes)
    check_rates(drop_path_rate=arguments.drop_path_rate)


def check_transformer(arguments: TransformerArguments) -> None:
    """Raises `ValueError` if an argument of any transformer is out of range."""
    check_model(arguments, arguments.patch_size)
    check_width(arguments.embed_dim, arguments.num_heads)
    check_positive(depth=arguments.depth)
    check_rates(
        dropout_rate=arguments.dropout_rate,
        attention_dropout_rate=arguments.attention_dropout_rate,
    )


def with_arguments_of(
    arguments: Callable[P, A],
) -> Callable[[Callable[[A], R]], Callable[P, R]]:
    """Makes a function of one object of arguments a function of the arguments.

    The class of that object has no docstring of its own: an editor would show it in
    place of the function's.

    Example:
        >>> @with_arguments_of(TransformerSizes)
        ... def tokens(arguments: TransformerSizes) -> tuple[int, int]:
        ...     return arguments.depth, arguments.embed_dim
        >>> tokens(embed_dim=8, depth=2, num_heads=4)
        (2, 8)
        >>> tokens(embed_dim=8, depth=2, heads=4)
        Traceback (most recent call last):
            ...
        TypeError: tokens has no argument `heads`. Did you mean num_heads? Received: \
heads=4

    """
    signature = inspect.signature(arguments)

    def decorate(function: Callable[[A], R]) -> Callable[P, R]:
        @functools.wraps(function)
        def build(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(
                make_arguments(arguments, function.__name__, *args, **kwargs)
            )

        returned = inspect.signature(function).return_annotation
        build.__signature__ = signature.replace(return_annotation=returned)
        return build

    return decorate


def make_arguments(
    arguments: Callable[P, A], function_name: str, *args: P.args, **kwargs: P.kwargs
) -> A:
    """The arguments of a function as an object; `TypeError` if missing or unknown."""
    signature = inspect.signature(arguments)
    given: dict[str, Any] = dict(kwargs)
    refuse_unknown(given, signature.parameters, function_name)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{function_name}() {error}") from None
    return arguments(*args, **kwargs)
