"""Published weights come out of the hub's own cache, and their absence is said."""

import numpy as np
import pytest

import keras_cait
from keras_cait.weights.hub import download_checkpoint


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache and no network, as HF_HUB_OFFLINE and HF_HUB_CACHE set them."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_weights_in_the_cache_are_loaded(cache):
    source = keras_cait.DeiT_Ti(weights=None)
    repository = cache / "models--timm--deit_tiny_patch16_224.fb_in1k"
    snapshot = repository / "snapshots" / ("0" * 40)
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    keras_cait.save_timm_weights(source, snapshot / "model.safetensors")
    loaded = keras_cait.DeiT_Ti()
    for one, other in zip(source.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_without_network_and_cache_it_says_what_to_do(cache):
    with pytest.raises(OSError, match=r"timm/nothing.*not in its cache.*weights=None"):
        download_checkpoint("timm/nothing")
