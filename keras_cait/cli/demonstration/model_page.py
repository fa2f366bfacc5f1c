"""The page of a model, written for as long as it is served."""

from pathlib import Path

from keras_cait.command_line.steps import steps_shown
from keras_cait.export.to_web import to_web
from keras_cait.models.published.model_source import (
    LoadedModel,
    ModelSource,
    load_source,
)


def load_model(
    name: str,
    *,
    weights: str | None,
    labels: Path | None,
    image_size: int | None,
) -> LoadedModel:
    """Builds a model by name, or loads a `.keras` file."""
    return load_source(
        ModelSource(name=name, weights=weights, labels=labels, image_size=image_size)
    )


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
