"""Checkpoints with timm's parameter names."""
