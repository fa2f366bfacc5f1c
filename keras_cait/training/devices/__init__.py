"""Devices and workers of a training run."""
