"""CaiT and DeiT for Keras 3: models, weights, distillation, data and training."""

import importlib
import sys
from typing import TYPE_CHECKING

from keras_cait.suggestion import did_you_mean

__version__ = "0.1.0"

# `keras-cait --help` answers before Keras is imported; see keras_cait_command.py.
if TYPE_CHECKING or "keras_cait_command" not in sys.modules:
    from keras_cait.public_names import *  # noqa: F403
    from keras_cait.public_names import __all__ as __all__

if not TYPE_CHECKING:  # a type checker reports unknown names itself

    def __getattr__(name: str) -> object:
        """Raises `AttributeError` that suggests the nearest public name."""
        if name.startswith("_"):
            raise AttributeError(f"module 'keras_cait' has no attribute {name!r}")
        public = importlib.import_module("keras_cait.public_names")
        if name in public.__all__:
            return getattr(public, name)
        hint = did_you_mean(name, public.__all__)
        raise AttributeError(f"module 'keras_cait' has no attribute {name!r}.{hint}")
