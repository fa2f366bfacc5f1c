"""Paths of sources of weights, which are files or repositories of the hub.

The hub's client is imported when a source names a repository: `import keras_cait`
takes a third less time without it.
"""

from pathlib import Path


def local_path(source: str | Path) -> Path:
    """Path of a source of weights, downloaded if it is "hf://owner/repository"."""
    name = str(source)
    if not name.startswith("hf://"):
        return Path(source)
    from keras_cait.weights.readers.hub import download

    return download(name)
