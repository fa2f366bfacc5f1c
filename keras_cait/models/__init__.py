"""The models as functional graphs, and their published sizes."""

from keras_cait.models.cait import CaiT
from keras_cait.models.deit import DeiT
from keras_cait.models.deit3 import DeiT3
from keras_cait.models.logits import separate_heads
from keras_cait.models.teachers.regnet import RegNetY

__all__ = ["CaiT", "DeiT", "DeiT3", "RegNetY", "separate_heads"]
