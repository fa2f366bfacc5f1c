"""Attention layers, each one usable alone in a functional Keras model."""
