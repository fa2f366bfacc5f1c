"""Trained models written for other runtimes: SavedModel, TFLite and ONNX."""
