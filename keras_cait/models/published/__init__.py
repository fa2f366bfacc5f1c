"""Published models: builders, registry, preprocessing and saved files."""
