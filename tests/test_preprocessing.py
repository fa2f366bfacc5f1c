import pytest

from keras_cait import Preprocessing
from keras_cait.preprocessing import IMAGENET_MEAN, imagenet_statistics


def test_sequences_become_tuples():
    lists: dict = {"mean": [0.5, 0.4, 0.3], "std": [1, 1, 1], "image_size": [32, 48]}
    found = Preprocessing(**lists)
    assert (found.mean, found.std) == ((0.5, 0.4, 0.3), (1.0, 1.0, 1.0))
    assert found.image_size == found.size == (32, 48)
    with pytest.raises(ValueError, match="with an `image_size`"):
        _ = Preprocessing().size


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mean": (0.5,)}, "as many values"),
        ({"mean": 0.5, "std": 0.5}, "`mean` must be a sequence of numbers"),
        ({"mean": "abc"}, "`mean` must be"),
        ({"std": (0.2, 0.2, 0)}, "above 0"),
        ({"mean": (float("nan"),) * 3}, "`mean` must be a sequence of numbers"),
        ({"mean": (123.7, 116.3, 103.5)}, "Divide those of pixels by 255"),
        ({"crop_pct": 0}, "`crop_pct` must be above 0"),
        ({"interpolation": "area"}, "one of bicubic, bilinear.*'area'"),
        ({"image_size": 224}, "height and width.*224"),
        ({"image_size": (224, 0)}, "height and width"),
    ],
)
def test_values_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing(**settings)


def test_a_model_gives_it_size_and_channels():
    one = Preprocessing(mean=(0.5,), std=(0.25,)).of_model((32, 48, 3))
    assert (one.image_size, one.mean, one.std) == ((32, 48), (0.5,) * 3, (0.25,) * 3)
    gray = Preprocessing().of_model((8, 8, 1))
    assert (gray.mean, gray.std) == imagenet_statistics(1)
    assert Preprocessing().of_model((8, 8, 3)).mean == IMAGENET_MEAN


@pytest.mark.parametrize(
    ("preprocessing", "message"),
    [
        (Preprocessing(mean=(0.5,) * 2, std=(0.5,) * 2), "for each channel"),
        (Preprocessing(image_size=(32, 32)), "must be that of the model, or None"),
    ],
)
def test_a_model_of_other_images_is_refused(preprocessing, message):
    with pytest.raises(ValueError, match=message):
        preprocessing.of_model((16, 16, 3))
