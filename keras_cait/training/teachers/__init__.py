"""Teachers: models, their preprocessing and cached logits."""
