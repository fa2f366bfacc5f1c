"""Pages of small models, and the browser that opens them."""

import pytest

import keras_cait
from keras_cait.export import to_web
from tests.support.export.browser import chromium
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_cait, tiny_deit

SIZE = {"depth": 2, "embed_dim": 48, "classes": 20}


@pytest.fixture(scope="session")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Models and the folders of their pages, by name."""
    half = keras_cait.Preprocessing(
        crop_pct=0.9, interpolation="bilinear", mean=(0.5,) * 3, std=(0.25,) * 3
    )
    models = {
        "cait": tiny_cait(**SIZE, input_shape=(64, 64, 3), include_preprocessing=True),
        "rectangles": tiny_cait(**SIZE, input_shape=(48, 80, 3), preprocessing=half),
        "deit": tiny_deit(**{**SIZE, "depth": 4}, distilled=True),
        "gray": tiny_deit(**SIZE, input_shape=(32, 32, 1), include_preprocessing=True),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, model in models.items():
        to_web(plausible(model), folder / name, weights="random", verbose=False)
    return {name: (model, folder / name) for name, model in models.items()}
