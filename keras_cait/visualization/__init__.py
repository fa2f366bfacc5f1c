"""Attention, tokens, learned weights and curves of training, as arrays and pictures."""

from keras_cait.visualization.attention import attention_maps, token_attention
from keras_cait.visualization.drawing import (
    draw_gains,
    draw_mixing_matrices,
    draw_overlays,
    draw_position_similarity,
    draw_token_attention,
    draw_token_cosines,
)
from keras_cait.visualization.learned_weights import (
    layer_scale_gains,
    mixing_matrices,
    position_similarity,
)
from keras_cait.visualization.overlay import overlay
from keras_cait.visualization.rollout import attention_rollout
from keras_cait.visualization.tokens import token_cosines

__all__ = [
    "attention_maps",
    "attention_rollout",
    "draw_gains",
    "draw_mixing_matrices",
    "draw_overlays",
    "draw_position_similarity",
    "draw_token_attention",
    "draw_token_cosines",
    "layer_scale_gains",
    "mixing_matrices",
    "overlay",
    "position_similarity",
    "token_attention",
    "token_cosines",
]
