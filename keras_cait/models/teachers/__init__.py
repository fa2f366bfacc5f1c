"""Convnets that teach: RegNetY and a small residual network."""
