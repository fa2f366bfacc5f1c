"""Excludes this folder from pytest, which would import torch."""

collect_ignore_glob = ["*.py"]
