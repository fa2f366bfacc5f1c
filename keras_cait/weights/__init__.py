"""Loading and saving of weights."""

from keras_cait.weights.load import load_weights
from keras_cait.weights.timm.checkpoints import save_timm_weights

__all__ = ["load_weights", "save_timm_weights"]
