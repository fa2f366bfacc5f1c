"""Trained models written for other runtimes: SavedModel, TFLite, ONNX and browsers."""

# Functions, which from here on stand before the modules of the same names.
from keras_cait.export.folding.fold import fold
from keras_cait.export.to_onnx import to_onnx
from keras_cait.export.to_saved_model import to_saved_model
from keras_cait.export.to_tflite import to_tflite
from keras_cait.export.to_web import to_web

__all__ = ["fold", "to_onnx", "to_saved_model", "to_tflite", "to_web"]
