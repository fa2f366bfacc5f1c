"""Preprocessing and class names that models and checkpoints state."""
