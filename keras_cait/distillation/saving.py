"""Saving and loading of `Distiller`, with its compilation."""

import types
from collections.abc import Callable
from typing import Any, Self

import keras
from keras.src.api_export import get_name_from_symbol

from keras_cait.typing import Tensor

ARGUMENTS = (
    "student",
    "teacher",
    "distillation",
    "alpha",
    "teacher_preprocessing",
    "teacher_output",
)
"""The arguments of `Distiller`, which are its configuration."""


class Saving:
    """The part of `Distiller` that `save` and `keras.saving.load_model` call."""

    def save(self, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
        # Raises its error before a file is begun.
        serialize_preprocessing(self.teacher_preprocessing)
        if self.compiled:  # the loaded optimizer is built and needs its state
            self.optimizer.build(self.trainable_variables)
        super().save(filepath, overwrite=overwrite, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        config = super().get_compile_config()
        if not config:  # not compiled
            return {}
        config.pop("loss_weights", None)
        return {**config, **keras.saving.serialize_keras_object(self._compiled_with)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def get_config(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in ARGUMENTS}
        preprocessing = serialize_preprocessing(values.pop("teacher_preprocessing"))
        config = {
            name: keras.saving.serialize_keras_object(value)
            for name, value in values.items()
        }
        return {"name": self.name, **config, "teacher_preprocessing": preprocessing}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value, custom_objects)
                for name, value in config.items()
            }
        )


def serialize_preprocessing(preprocessing: Callable[[Tensor], Tensor] | None) -> Any:
    """The configuration of a `teacher_preprocessing`, from which it can be loaded.

    Keras writes the private module of its own functions, in which it does not find
    them again; this writes the public one. Raises `ValueError` if Keras could not
    load the configuration.

    Example:
        >>> preprocessing = keras.applications.resnet50.preprocess_input
        >>> serialize_preprocessing(preprocessing)["module"]
        'keras.applications.resnet50'

    """
    is_function = isinstance(preprocessing, types.FunctionType)
    try:
        if is_function and preprocessing.__name__ == "<lambda>":
            raise ValueError("A lambda has no name.")
        config = keras.saving.serialize_keras_object(preprocessing)
        public = get_name_from_symbol(preprocessing) if is_function else None
        if public is not None:
            config["module"], _, config["config"] = public.rpartition(".")
        keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`teacher_preprocessing` must be one that keras.saving.load_model can load "
            "again, in its safe mode, to be saved. Received: "
            f"teacher_preprocessing={preprocessing!r}. Pass a Keras layer or model, a "
            "function of keras.applications or keras.ops, or decorate your own with "
            "@keras.saving.register_keras_serializable()."
        ) from error
    return config
