"""The models as functional graphs, and their published sizes."""

from keras_cait.models.cait import CaiT
from keras_cait.models.deit import DeiT
from keras_cait.models.deit3 import DeiT3
from keras_cait.models.outputs import separate_heads

__all__ = ["CaiT", "DeiT", "DeiT3", "separate_heads"]
