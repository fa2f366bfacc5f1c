"""Photographs of a phone, which are stored on their side, are seen upright."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageOps

from keras_cait.cli.app import main
from keras_cait.cli.images.classifier import load
from tests.support.data.photographs import encoded, exif, photograph
from tests.support.models.tiny_models import randomize, tiny_cait

CAMERA = photograph(480, 640)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "birds.keras"
    randomize(tiny_cait(include_preprocessing=True)).save(path)
    return str(path)


def photographs(folder, file):
    """The file, what PIL makes of it upright, and what it is without its metadata."""
    image = Image.open(io.BytesIO(file))
    stored = np.array(image)
    versions = {
        "phone": file,
        "upright": encoded(np.array(ImageOps.exif_transpose(image)), "PNG"),
        "stored": encoded(stored, "PNG"),
    }
    for name, content in versions.items():
        (folder / name).mkdir()
        (folder / name / "photo.jpg").write_bytes(content)  # read by its content
    return [folder / name / "photo.jpg" for name in versions]


def test_pixels_are_those_of_the_photograph_turned_by_pil(model, tmp_path):
    paths = []
    for orientation in range(1, 9):
        (tmp_path / str(orientation)).mkdir()
        file = encoded(CAMERA, quality=90, exif=exif(orientation))
        paths += photographs(tmp_path / str(orientation), file)
    (pixels,) = load(model).batches(paths, len(paths))
    phone, upright, stored = pixels[::3], pixels[1::3], pixels[2::3]
    np.testing.assert_array_equal(phone, upright)
    assert [*map(np.array_equal, phone, stored)] == [True] + 7 * [False]


@pytest.mark.slow  # the pixels are compared above
def test_predictions_are_those_of_the_upright_photograph(model, tmp_path, capsys):
    paths = photographs(tmp_path, encoded(CAMERA, quality=90, exif=exif(6)))
    assert main(["predict", *map(str, paths), "--model", model, "--json"]) == 0
    phone, upright, stored = json.loads(capsys.readouterr().out)
    assert phone["classes"] == upright["classes"] != stored["classes"]


def test_the_picture_of_attention_is_upright(model, tmp_path):
    pictures = []
    for path in photographs(tmp_path, encoded(CAMERA, quality=90, exif=exif(8))):
        target = path.with_name("attention.png")
        flags = ["--model", model, "--output", str(target)]
        assert main(["attend", str(path), *flags]) == 0
        pictures.append(np.array(Image.open(target)))
    phone, upright, stored = pictures
    np.testing.assert_array_equal(phone, upright)
    assert not np.array_equal(phone, stored)


def test_damaged_metadata_do_not_break_a_readable_image(model, tmp_path, capsys):
    file = encoded(CAMERA, quality=90, exif=exif(6))
    start = file.index(b"Exif") + 6
    (tmp_path / "photo.jpg").write_bytes(
        file[:start] + b"\xff" * 30 + file[start + 30 :]
    )
    path = str(tmp_path / "photo.jpg")
    assert main(["predict", path, "--model", model, "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) == 1
    assert "Corrupt EXIF" not in captured.err


@pytest.mark.parametrize("channels", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_gray_and_alpha_are_turned_for_a_model_of_any_channels(channels, tmp_path):
    model = randomize(tiny_cait(input_shape=(32, 32, channels)))
    model.save(tmp_path / "model.keras")
    classifier = load(str(tmp_path / "model.keras"))
    paths = []
    for mode in ("L", "LA", "RGBA"):
        side = Image.fromarray(CAMERA).convert(mode)
        turned = side.transpose(Image.Transpose.ROTATE_270)
        paths += [tmp_path / f"phone {mode}.png", tmp_path / f"upright {mode}.png"]
        paths[-2].write_bytes(encoded(side, "PNG", exif=exif(6)))
        paths[-1].write_bytes(encoded(turned, "PNG"))
    (pixels,) = classifier.batches(paths, len(paths))
    assert pixels.shape == (6, 32, 32, channels)
    np.testing.assert_array_equal(pixels[::2], pixels[1::2])
