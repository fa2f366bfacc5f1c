"""The command `keras-cait`."""
