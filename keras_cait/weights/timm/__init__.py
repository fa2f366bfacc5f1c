"""timm's names and layouts of weights, read and written."""
