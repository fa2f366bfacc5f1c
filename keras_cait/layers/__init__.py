"""The building blocks, each one usable alone in a functional Keras model."""

from keras_cait.layers.attention import SelfAttention
from keras_cait.layers.class_attention import ClassAttention
from keras_cait.layers.feed_forward import FeedForward
from keras_cait.layers.image_preprocessing import ImagePreprocessing
from keras_cait.layers.layer_scale import LayerScale
from keras_cait.layers.patch_embedding import PatchEmbedding
from keras_cait.layers.position_embedding import PositionEmbedding
from keras_cait.layers.predictions import Predictions
from keras_cait.layers.scalar_scale import ScalarScale
from keras_cait.layers.stochastic_depth import StochasticDepth
from keras_cait.layers.talking_heads import TalkingHeads
from keras_cait.layers.tokens import ClassToken, DistillationToken

__all__ = [
    "ClassAttention",
    "ClassToken",
    "DistillationToken",
    "FeedForward",
    "ImagePreprocessing",
    "LayerScale",
    "PatchEmbedding",
    "PositionEmbedding",
    "Predictions",
    "ScalarScale",
    "SelfAttention",
    "StochasticDepth",
    "TalkingHeads",
]
