"""Order of a model's outputs for the classes of a data set, by their names."""

from collections import Counter
from collections.abc import Sequence

from keras_cait.models.classes.imagenet_classes import imagenet_ids, is_imagenet

_SHOWN = 10  # names in a message


def outputs_of_classes(
    class_names: Sequence[str], model_names: Sequence[str] | None, classes: int
) -> list[int]:
    """The index of a model's output for each class of a data set.

    A data set may have fewer classes than the model, in another order, and the WordNet
    ids of ImageNet's classes as names. The outputs of a model without names are the
    classes of the data set, in order.
    """
    if model_names is None:
        if len(class_names) != classes:
            raise ValueError(
                f"The model must have the {len(class_names)} classes of the data. "
                f"Received: a model with {classes} classes."
            )
        return list(range(classes))
    outputs = _ids(model_names, class_names)
    if list(class_names) == list(outputs):
        return list(range(classes))
    place = {name: index for index, name in enumerate(outputs)}
    missing = [name for name in class_names if name not in place]
    if missing:
        extra = [name for name in outputs if name not in set(class_names)]
        raise ValueError(
            "Every class of the data must be one of the model's, by name. Received: "
            f"{len(missing)} of {len(class_names)} that the model lacks, "
            f"{_listed(missing)}; the model's classes without images are "
            f"{_listed(extra)}."
        )
    twice = [name for name, count in Counter(outputs).items() if count > 1]
    unclear = [name for name in class_names if name in twice]
    if unclear:
        raise ValueError(
            "Every class of the data must be one of the model's, by name. Received: "
            f"{_listed(unclear)}, of which the model has two each."
        )
    return [place[name] for name in class_names]


def _ids(model_names: Sequence[str], class_names: Sequence[str]) -> Sequence[str]:
    """ImageNet's classes by their ids, where the data set has those."""
    if is_imagenet(model_names) and set(class_names) <= set(imagenet_ids()):
        return imagenet_ids()
    return model_names


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN]) or "none"
    return f"{shown} and {len(names) - _SHOWN} more" if names[_SHOWN:] else shown
