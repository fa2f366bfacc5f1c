"""The page of a model, written for as long as it is served."""

from pathlib import Path

from keras_cait.export.to_web import to_web
from keras_cait.models.published.model_source import ModelSource, load_source


def write_page(source: ModelSource, folder: Path, *, runtime: Path | None) -> None:
    """Writes the folder of a page; see `to_web`."""
    loaded = load_source(source)
    to_web(
        loaded.model,
        folder,
        runtime=runtime,
        labels=loaded.labels,
        weights=loaded.weights,
        verbose=False,
    )
