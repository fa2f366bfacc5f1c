"""Models rebuilt for inference."""
