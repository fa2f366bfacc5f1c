"""Keeps pytest, which imports every file for its examples, from importing torch."""

collect_ignore_glob = ["*.py"]
