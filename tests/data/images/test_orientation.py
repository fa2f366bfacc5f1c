"""Photographs are turned upright as PIL turns them."""

import io
import random
import warnings

import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_cait.data.images.decoding import decode
from keras_cait.data.images.orientation import stored_orientation, upright
from tests.support.data.photographs import encoded, exif, photograph
from tests.support.export.malformed_images import HUGE

KINDS = {
    "JPEG": {"quality": 90},
    "PNG": {},
    "WEBP": {"quality": 80},
}


@pytest.fixture(scope="module")
def camera():
    return Image.fromarray(photograph(480, 640))


def saved(folder, file):
    (folder / "photo").write_bytes(file)
    return folder / "photo"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_to_the_pixels_of_pil(
    kind, orientation, camera, tmp_path
):
    file = encoded(camera, kind, exif=exif(orientation), **KINDS[kind])
    found = stored_orientation(saved(tmp_path, file))
    assert found == orientation
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    assert expected.size == ((480, 640) if orientation > 4 else (640, 480))
    np.testing.assert_array_equal(upright(decode(file), found), np.array(expected))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA"])
def test_gray_palettes_and_alpha_are_turned_too(mode, camera, tmp_path):
    file = encoded(camera.resize((80, 60)).convert(mode), "PNG", exif=exif(6))
    found = stored_orientation(saved(tmp_path, file))
    stored = np.array(Image.open(io.BytesIO(file)).convert("RGB"))
    turned = upright(decode(file), found)
    np.testing.assert_array_equal(turned, np.rot90(stored, -1))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_unknown_orientation_is_that_of_the_stored_image(value, camera, tmp_path):
    path = saved(tmp_path, encoded(camera, exif=exif(value)))
    assert stored_orientation(path) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_an_image_without_metadata_stays_as_it_is_stored(kind, camera, tmp_path):
    assert stored_orientation(saved(tmp_path, encoded(camera, kind))) == 1


def test_a_file_that_is_no_image_has_no_orientation(tmp_path):
    cut = encoded(photograph(8, 8), exif=exif(6))[:30]
    for file in (b"", b"Exif", cut, *HUGE.values()):
        assert stored_orientation(saved(tmp_path, file)) == 1
    assert stored_orientation(tmp_path) == stored_orientation(tmp_path / "none") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_metadata_raise_and_print_nothing(kind, camera, tmp_path):
    file = encoded(camera.resize((80, 60)), kind, exif=exif(6))
    start = file.lower().index(b"exif")
    rng = random.Random(0)
    with warnings.catch_warnings(action="error"):
        for _ in range(200):
            damaged = bytearray(file)
            for _ in range(rng.choice([1, 2, 8])):
                damaged[rng.randrange(start, start + 50)] = rng.randrange(256)
            assert stored_orientation(saved(tmp_path, damaged)) in range(1, 9)
