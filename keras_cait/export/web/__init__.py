"""The page for browsers: its files, runtime, description and server."""
