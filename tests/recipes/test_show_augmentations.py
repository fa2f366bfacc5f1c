"""The picture of augmented images: its rows, its seed, and errors of its flags."""

import numpy as np
import pytest
from PIL import Image

from recipes.show_augmentations import main
from tests.support.data.pictures import write_pictures

SMALL = ["--image-size", "24", "--images", "2", "--columns", "3"]


@pytest.mark.parametrize("preset", ["deit", "deit3", "thumbnails"])
def test_the_picture_has_a_row_per_image_and_two_mixed_rows(preset, tmp_path, capsys):
    write_pictures(tmp_path / "data", size=(30, 40))
    output = tmp_path / "sheet.png"
    where = ["--data-dir", str(tmp_path / "data"), "--output", str(output)]
    assert main([*where, *SMALL, "--preset", preset]) == 0
    rows = 2 if preset == "thumbnails" else 4
    with Image.open(output) as picture:
        assert picture.size == (4 + 4 * 28, 4 + rows * 28)
        pixels = np.asarray(picture, "float32")
    first, second = pixels[4:28, 32:56], pixels[4:28, 60:84]
    assert np.abs(first - second).mean() > 1
    assert "sheet.png: 116 x" in capsys.readouterr().out


def test_the_same_seed_draws_the_same_picture(tmp_path):
    write_pictures(tmp_path / "data", size=(30, 40))
    where = ["--data-dir", str(tmp_path / "data"), *SMALL, "--augment", "none"]
    sheets = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        output = tmp_path / f"{name}.png"
        assert main([*where, "--output", str(output), "--seed", seed]) == 0
        sheets.append(output.read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data-dir", "nowhere"], "no folder of that name"),
        (["--preset", "imagenet"], "--preset must be one of deit, cait"),
        (["--augment", "rand-x9"], "rand-x9"),
        (["--columns", "0"], "--columns must be 1 or more"),
    ],
)
def test_wrong_flags_give_one_line(options, said, tmp_path, capsys):
    output = tmp_path / "sheet.png"
    assert main([*options, "--output", str(output)]) == 2
    assert said in capsys.readouterr().err
    assert not output.exists()
