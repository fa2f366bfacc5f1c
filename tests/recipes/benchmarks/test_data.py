"""The pipeline's benchmark prints plausible rates, and one line for wrong flags."""

import pytest
import tensorflow as tf
from data import main, write_photographs

from keras_cait.data.images.decoding import image_size
from tests.support.data.pictures import results_of


@pytest.mark.slow
def test_images_per_second_and_core_are_printed(capsys):
    few = ["--images", "8", "--batch-size", "4", "--passes", "1"]
    assert main([*few, "--image-size", "32"]) == 0
    results = results_of(capsys.readouterr().out)
    assert results["images"] == 8
    assert 0 < results["keras_cait_median"] <= results["keras_cait_best"]


def test_generated_photographs_have_imagenet_s_typical_size(tmp_path):
    write_photographs(tmp_path, 3)
    paths = sorted(tmp_path.rglob("*.jpg"))
    assert len(paths) == 3
    contents = [path.read_bytes() for path in paths]
    assert len(set(contents)) == 3
    for content in contents:
        height, width = image_size(tf.constant(content))
        assert (int(height), int(width)) == (375, 500)


def test_wrong_flags_give_one_line(capsys):
    assert main(["--passes", "0"]) == 2
    assert "--passes must be 1 or more" in capsys.readouterr().err
    assert main(["--images", "8", "--timm", "/nowhere/python"]) == 2
    assert "/nowhere/python" in capsys.readouterr().err
