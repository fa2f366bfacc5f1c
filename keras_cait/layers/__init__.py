"""The building blocks, each one usable alone in a functional Keras model."""

from keras_cait.layers.attention.class_attention import ClassAttention
from keras_cait.layers.attention.self_attention import SelfAttention
from keras_cait.layers.attention.talking_heads import TalkingHeads
from keras_cait.layers.feed_forward import FeedForward
from keras_cait.layers.image_preprocessing import ImagePreprocessing
from keras_cait.layers.layer_normalization import LayerNormalization
from keras_cait.layers.layer_scale import LayerScale
from keras_cait.layers.patch_embedding import PatchEmbedding
from keras_cait.layers.position_embedding import PositionEmbedding
from keras_cait.layers.predictions import Predictions
from keras_cait.layers.stochastic_depth import StochasticDepth
from keras_cait.layers.tokens import ClassToken, DistillationToken

__all__ = [
    "ClassAttention",
    "ClassToken",
    "DistillationToken",
    "FeedForward",
    "ImagePreprocessing",
    "LayerNormalization",
    "LayerScale",
    "PatchEmbedding",
    "PositionEmbedding",
    "Predictions",
    "SelfAttention",
    "StochasticDepth",
    "TalkingHeads",
]
