"""The picture of augmented images: its rows, its seed, and errors of its flags."""

import itertools
import re

import numpy as np
import pytest
from PIL import Image

from recipes.show_augmentations import SheetSettings, draw_sheet, main
from tests.support.data.pictures import write_pictures

SMALL = ["--image-size", "24", "--images", "2", "--columns", "3"]


def cells_of(picture, columns):
    """The images of a sheet of 24 pixels, drawn five times as large, row by row."""
    pixels = np.asarray(picture.convert("RGB"), "float32")
    rows = range(6, len(pixels), 156)
    wide = range(6, 6 + 126 * columns, 126)
    return [[pixels[y : y + 120 : 5, x : x + 120 : 5] for x in wide] for y in rows]


@pytest.mark.parametrize("preset", ["deit", "deit3", "thumbnails"])
def test_the_picture_has_a_row_per_image_and_two_mixed_rows(preset, tmp_path, capsys):
    write_pictures(tmp_path / "data", size=(30, 40))
    output = tmp_path / "sheet.png"
    where = ["--data-dir", str(tmp_path / "data"), "--output", str(output)]
    assert main([*where, *SMALL, "--preset", preset]) == 0
    with Image.open(output) as picture:
        rows = cells_of(picture, 4)
    assert len(rows) == (2 if preset == "thumbnails" else 4)
    assert f"sheet.png: 510 x {6 + 156 * len(rows)} pixels" in capsys.readouterr().out
    for row in rows:
        for one, other in itertools.combinations(row, 2):
            assert np.abs(one - other).mean() > 1


def test_captions_name_classes_epochs_and_weights(tmp_path):
    write_pictures(tmp_path / "data", size=(30, 40))
    settings = SheetSettings(
        data_dir=tmp_path / "data", image_size=24, images=2, columns=3, smoothing=0.0
    )
    texts = [text.get_text() for text in draw_sheet(settings).axes[0].texts]
    assert len(texts) == 4 * 4
    assert sorted(texts[:8:4]) == ["day, evaluation", "night, evaluation"]
    assert texts[1:4] == texts[5:8] == ["epoch 1", "epoch 2", "epoch 3"]
    for kind, row in (("Mixup", texts[8:12]), ("CutMix", texts[12:])):
        assert all(text.startswith(f"{kind}: ") for text in row)
        assert len(set(row)) == 4
        for text in row:
            assert sum(map(int, re.findall(r"(\d+)\s%", text))) == pytest.approx(
                100, abs=1
            )


def test_one_image_is_not_mixed_with_itself(tmp_path):
    write_pictures(tmp_path / "data", size=(30, 40))
    settings = SheetSettings(data_dir=tmp_path / "data", image_size=24, images=1)
    assert len(draw_sheet(settings).axes[0].texts) == 1 + settings.columns


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
