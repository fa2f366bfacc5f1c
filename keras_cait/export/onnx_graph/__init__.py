"""ONNX files: operators and checks."""
