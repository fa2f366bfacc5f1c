"""Tensors of a checkpoint, compared with those of a model and converted for it."""
