"""Attention maps, curves of training and grids of images, as arrays and pictures."""
