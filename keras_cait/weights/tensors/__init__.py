"""Tensors of checkpoints, and their checks against a model."""
