"""Sources of `load_weights`."""

import pytest

import keras_cait
from tests.support.models.tiny_models import tiny_deit
from tests.support.reference import weights

# Files without metadata; see tests/weights/metadata/test_source_metadata.py.
pytestmark = pytest.mark.filterwarnings("ignore:.* does not state the mean and std")


@pytest.mark.parametrize("convert", [str, lambda path: path], ids=["str", "Path"])
def test_load_weights_returns_the_model(convert):
    model = tiny_deit()
    assert keras_cait.load_weights(model, convert(weights("tiny/deit"))) is model


@pytest.mark.parametrize("name", ["model.h5", "model.ckpt", "model", "safetensors"])
def test_unknown_suffixes_are_refused(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"\.weights\.h5 or \.keras.*Received"
    ) as error:
        keras_cait.load_weights(tiny_deit(depth=1), tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


@pytest.mark.parametrize("suffix", [".safetensors", ".weights.h5", ".keras"])
def test_missing_files_are_named(suffix, tmp_path):
    path = tmp_path / f"nowhere{suffix}"
    for source in (path, tmp_path / f"folder{suffix}"):
        (tmp_path / f"folder{suffix}").mkdir(exist_ok=True)
        with pytest.raises(FileNotFoundError) as error:
            keras_cait.load_weights(tiny_deit(depth=1), source)
        assert str(source) in str(error.value)
