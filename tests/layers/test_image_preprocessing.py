import numpy as np
import pytest

from keras_cait.layers import ImagePreprocessing
from tests.support.layer_harness import normal, run_layer_checks, to_numpy

MEAN, STD = (0.5, 0.4, 0.3, 0.2), (0.2, 0.3, 0.25, 0.5)


def make(**kwargs):
    return ImagePreprocessing(
        **{"mean": MEAN, "std": STD, "crop_pct": 0.9, "normalize": True, **kwargs}
    )


@pytest.mark.parametrize("normalize", [True, False])
def test_harness(normalize, tmp_path):
    def of_kind(**kwargs):
        return make(normalize=normalize, **kwargs)

    run_layer_checks(of_kind, (5, 6, 4), weights=[], folder=tmp_path)


def test_each_channel_is_normalized():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 6, 4)).astype("float32")
    expected = (pixels / 255 - MEAN) / STD
    np.testing.assert_allclose(to_numpy(make()(pixels)), expected, atol=2e-6)


def test_without_normalize_images_do_not_change():
    images = normal((2, 5, 6, 4))
    layer = make(normalize=False)
    np.testing.assert_array_equal(to_numpy(layer(images)), images)
    assert layer.get_config()["mean"] == MEAN


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"std": (0.0, 1, 1, 1)}, "`std` must be above 0"),
        ({"mean": (0.5,)}, "as many values"),
        ({"crop_pct": 0}, "`crop_pct` must be above 0"),
        ({"interpolation": "nearest"}, "one of bicubic, bilinear"),
    ],
)
def test_values_out_of_range_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        make(**setting)
