"""Features of patches, and the places of tokens in a model."""
