"""The function that builds each family of models, by the family's name."""

from collections.abc import Callable

import keras

from keras_cait.models.cait import CaiT
from keras_cait.models.deit import DeiT
from keras_cait.models.deit3 import DeiT3
from keras_cait.models.teachers.regnet import RegNetY

FAMILIES: dict[str, Callable[..., keras.Model]] = {
    "cait": CaiT,
    "deit": DeiT,
    "deit3": DeiT3,
    "regnet": RegNetY,
}
