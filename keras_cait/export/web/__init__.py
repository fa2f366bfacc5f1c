"""The page for browsers: its files, runtime and description."""
