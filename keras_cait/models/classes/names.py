"""Class names of a classifier, which its layers store."""

from collections.abc import Sequence

import keras

from keras_cait.layers import Predictions
from keras_cait.models.classes.imagenet_classes import imagenet_names
from keras_cait.weights.metadata.model_metadata import stored_class_names
from keras_cait.weights.metadata.source_metadata import SourceMetadata


def class_names_of(model: keras.Model) -> tuple[str, ...] | None:
    """Returns the names of a model's classes, in the order of its outputs.

    Args:
        model: A classifier, built with `class_names`, trained by a recipe, or loaded
            from a file of either.

    Returns:
        The names; None if the model stores none.

    Example:
        >>> import keras_cait
        >>> model = keras_cait.DeiT(
        ...     input_shape=(16, 16, 3), patch_size=8, embed_dim=8, depth=1,
        ...     num_heads=2, classes=2, class_names=["cat", "dog"],
        ... )
        >>> class_names_of(model)
        ('cat', 'dog')

    """
    return stored_class_names(model)


def with_class_names(model: keras.Model, class_names: Sequence[str]) -> keras.Model:
    """A functional classifier with these class names, of the same layers and weights.

    A model with a `Predictions` layer gets the names in this layer; another model gets
    one more layer, which stores them and nothing else.
    """
    names = check_class_names(class_names, model.output_shape[-1])
    last = model.outputs[0]._keras_history.operation
    if isinstance(last, Predictions):
        last.class_names = names
        return model
    outputs = model.outputs[0]
    kept = Predictions(class_names=names, dtype=outputs.dtype, name="predictions")
    return keras.Model(model.inputs[0], kept(outputs), name=model.name)


def class_names_from_metadata(
    metadata: SourceMetadata, classes: int
) -> tuple[str, ...] | None:
    """The class names in the metadata of weights, for a head of as many classes."""
    names = imagenet_names() if metadata.imagenet else metadata.class_names
    return names if names is not None and len(names) == classes else None


def check_class_names(
    class_names: Sequence[str] | None,
    classes: int | None,
    argument: str = "class_names",
) -> tuple[str, ...] | None:
    """The names as a tuple. Raises `ValueError` unless each class has one.

    `classes` is None for a model without a classifier.
    """
    if class_names is None:
        return None
    if isinstance(class_names, str) or not all(
        isinstance(name, str) and name.strip() for name in class_names
    ):
        raise ValueError(
            f"`{argument}` must be a list of names, none of them empty. Received: "
            f"{argument}={class_names!r}"
        )
    if classes is None:
        raise ValueError(
            f"`{argument}` needs a model with a classifier, `include_top=True`. "
            f"Received: {len(class_names)} names and include_top=False."
        )
    if len(class_names) != classes:
        raise ValueError(
            f"`{argument}` must name the {classes} classes of the model, one each. "
            f"Received: {len(class_names)} {argument}."
        )
    return tuple(class_names)
