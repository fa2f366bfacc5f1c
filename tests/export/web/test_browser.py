"""The page in Chromium: equal to Keras, for every kind of image and of model."""

import http.server
import io
import threading
from functools import partial

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

import keras_cait
from keras_cait.export import to_web
from tests.support.data.photographs import encoded, exif, photograph
from tests.support.export.browser import assert_equal, of_keras, served, visit
from tests.support.export.samples import plausible

pytestmark = pytest.mark.browser

FLOWER = photograph(427, 640, "flower.jpg")
ALPHA = np.random.default_rng(0).integers(0, 256, (427, 640, 1), dtype="uint8")
GAMMA = PngImagePlugin.PngInfo()
GAMMA.add(b"gAMA", (100_000).to_bytes(4, "big"))  # 1, far from that of screens
FILES = {
    "temple.jpg": encoded(photograph(), quality=90),
    "flower.jpg": encoded(FLOWER, quality=75, progressive=True),
    "full.jpg": encoded(photograph(2400, 3200), subsampling=0),
    "flower.png": encoded(FLOWER, "PNG"),
    "tall.png": encoded(photograph(500, 100), "PNG"),
    "wide.jpg": encoded(photograph(90, 700)),
    "small.png": encoded(photograph(20, 31), "PNG"),
    "gray.jpg": encoded(Image.fromarray(FLOWER).convert("L")),
    "gray.png": encoded(Image.fromarray(FLOWER).convert("L"), "PNG"),
    "palette.png": encoded(Image.fromarray(FLOWER).quantize(64), "PNG"),
    "transparent.png": encoded(np.concatenate([FLOWER, ALPHA], -1), "PNG"),
    "gamma.png": encoded(FLOWER, "PNG", pnginfo=GAMMA),
    "photo.webp": encoded(FLOWER, "WEBP", lossless=True),
    "photo.bmp": encoded(FLOWER, "BMP"),
    "no-suffix": encoded(FLOWER, "GIF"),
}


def upright(file):
    return np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(file))))


@pytest.fixture(scope="module")
def open_page(browser, pages):
    """One visit of the page of the first CaiT."""
    model, site = pages["cait"]
    with served(site) as address, visit(browser) as here:
        here.open(address)
        yield model, here


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_image_equals_keras(name, open_page):
    model, here = open_page
    assert_equal(here.classify(name, FILES[name]), of_keras(model, FILES[name]))
    assert here.printed == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_as_their_metadata_says(orientation, open_page):
    model, here = open_page
    file = encoded(photograph(), exif=exif(orientation))
    assert_equal(here.classify("turned.jpg", file), of_keras(model, upright(file)))


@pytest.mark.parametrize("name", ["rectangles", "deit", "gray"])
@pytest.mark.parametrize("file", ["temple.jpg", "wide.jpg", "transparent.png"])
def test_every_kind_of_model_equals_keras(name, file, browser, pages):
    model, site = pages[name]
    with served(site) as address, visit(browser) as here:
        here.open(address)
        found = here.classify(file, FILES[file])
    assert_equal(found, of_keras(model, FILES[file]))
    assert here.printed == []


def test_a_published_size_equals_keras(browser, tmp_path):
    model = plausible(keras_cait.CaiT_XXS24(weights=None, include_preprocessing=True))
    names = [f"class {index}" for index in range(1000)]
    to_web(model, tmp_path / "site", labels=names, weights="random", verbose=False)
    with served(tmp_path / "site") as address, visit(browser) as here:
        here.open(address)
        assert here.page.evaluate("crossOriginIsolated")
        for file in ("temple.jpg", "flower.jpg"):
            found = here.classify(file, FILES[file])
            assert_equal(found, of_keras(model, FILES[file]))


def test_a_plain_server_is_enough(browser, pages):
    model, site = pages["cait"]
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(site))
    handler.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with visit(browser) as here:
            here.open(f"http://127.0.0.1:{server.server_port}/index.html")
            assert not here.page.evaluate("crossOriginIsolated")
            found = here.classify("temple.jpg", FILES["temple.jpg"])
        server.shutdown()
    assert_equal(found, of_keras(model, FILES["temple.jpg"]))
    assert here.printed == []
