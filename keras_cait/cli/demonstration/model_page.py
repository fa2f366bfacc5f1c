"""The page of a model, written for as long as it is served."""

from pathlib import Path

from keras_cait.export.to_web import to_web
from keras_cait.models.published.model_source import LoadedModel
from keras_cait.terminal.steps import steps_shown


def write_page(loaded: LoadedModel, folder: Path, *, runtime: Path | None) -> None:
    """Writes the folder of a page; see `to_web`."""
    with steps_shown():
        to_web(
            loaded.model,
            folder,
            runtime=runtime,
            labels=loaded.labels,
            weights=loaded.weights,
            verbose=False,
        )
