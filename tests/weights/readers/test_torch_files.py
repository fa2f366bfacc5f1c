"""Files of torch: without torch here, with it under `make torch`."""

import argparse
import contextlib
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load_file

import keras_cait
from keras_cait.weights.timm.checkpoints import save_official_weights
from tests.support.models.tiny_models import randomize, tiny_cait, tiny_deit
from tests.support.reference import weights
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
)

# Files without metadata; see tests/weights/metadata/test_source_metadata.py.
pytestmark = pytest.mark.filterwarnings("ignore:.* does not state the mean and std")


def test_without_torch_the_error_states_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    path = tmp_path / "model.pth"
    path.write_bytes(b"anything")
    with pytest.raises(
        ImportError, match=r"torch is required.*model\.pth.*keras-cait\[torch\]"
    ):
        keras_cait.load_weights(tiny_deit(), path)


@pytest.fixture
def torch():
    """torch, which only `make torch` installs; these tests are not chosen without."""
    return pytest.importorskip("torch")


needs_torch = pytest.mark.torch


@needs_torch
@pytest.mark.parametrize(
    ("family", "name", "layout"),
    [
        (tiny_cait, "cait", lambda t: {"model": {f"module.{k}": t[k] for k in t}}),
        (tiny_deit, "deit", lambda t: t),
        (tiny_deit, "deit", lambda t: {"state_dict": t, "epoch": 3, "metric": 0.5}),
        (
            tiny_deit,
            "deit",
            lambda t: {"model": t, "args": argparse.Namespace(lr=1e-3, aa="rand-m9")},
        ),
    ],
    ids=["official CaiT", "plain", "timm's training", "official training"],
)
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin"])
def test_files_of_torch_load(family, name, layout, suffix, torch, tmp_path):
    tensors = load_file(weights(f"tiny/{name}"))
    tensors = {key: torch.from_numpy(value) for key, value in tensors.items()}
    path = tmp_path / f"model{suffix}"
    torch.save(layout(tensors), path)
    found = keras_cait.load_weights(family(), path)
    expected = keras_cait.load_weights(family(), weights(f"tiny/{name}"))
    assert_equal_weights(found, weight_values(expected))


@needs_torch
@pytest.mark.parametrize("family", [tiny_cait, tiny_deit])
def test_a_written_file_comes_back(family, torch, tmp_path):
    model, path = randomize(family()), tmp_path / "model.pth"
    save_official_weights(model, path)
    names = torch.load(path, weights_only=True)["model"]
    assert all(name.startswith("module.") for name in names) == (family is tiny_cait)
    found = keras_cait.load_weights(family(), path)
    assert_equal_weights(found, weight_values(model))


@needs_torch
def test_bfloat16_is_widened(torch, tmp_path):
    tensors = load_file(weights("tiny/deit"))
    half = {key: torch.from_numpy(value).bfloat16() for key, value in tensors.items()}
    torch.save(half, tmp_path / "half.pth")
    model = keras_cait.load_weights(tiny_deit(), tmp_path / "half.pth")
    kernel, _ = model.get_layer("head").get_weights()
    np.testing.assert_array_equal(kernel, half["head.weight"].float().numpy().T)


class _Evil:
    """Unpickled freely it would make a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        import os

        return (os.mkdir, (str(self.folder),))


@needs_torch
def test_a_pickle_that_would_run_code_is_refused(torch, tmp_path):
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"
    torch.save({"model": _Evil(trace)}, path)
    model = tiny_deit()
    with load_fails(model, "nothing that runs code", str(path)):
        keras_cait.load_weights(model, path)
    assert not trace.exists()


@needs_torch
@pytest.mark.parametrize("content", ["cut", "empty", "foreign", "tensor"])
def test_damaged_files_are_refused(content, torch, tmp_path):
    path = tmp_path / "model.pth"
    torch.save({"norm.bias": torch.zeros(1000)}, path)
    whole = path.read_bytes()
    if content == "tensor":
        torch.save(torch.zeros(3), path)
    else:
        foreign = b"<!doctype html>" * 100
        path.write_bytes(
            {"cut": whole[:-300], "empty": b"", "foreign": foreign}[content]
        )
    model = tiny_deit()
    with load_fails(model, str(path)):
        keras_cait.load_weights(model, path)


@needs_torch
@pytest.mark.parametrize(
    ("convert", "kind"),
    [
        ("to_sparse", "sparse float32"),
        ("to_sparse_csr", "sparse float32"),
        ("int", "int32"),
        ("bool", "bool"),
        ("cfloat", "complex64"),
        (lambda x, torch: x.to(torch.float8_e4m3fn), "float8_e4m3fn"),
        (lambda x, torch: x.to("meta"), "float32 without values"),
        (
            lambda x, torch: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
            "qint8",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore")  # torch's, of what it will give up
def test_tensors_of_other_number_types_are_refused(convert, kind, torch, tmp_path):
    path = tmp_path / "model.pth"
    tensors = load_file(weights("tiny/deit"))
    tensors = {key: torch.from_numpy(value) for key, value in tensors.items()}
    head = tensors["head.weight"]
    changed = getattr(head, convert)() if isinstance(convert, str) else None
    tensors["head.weight"] = convert(head, torch) if changed is None else changed
    torch.save(tensors, path)
    model = tiny_deit()
    with load_fails(model, str(path), f"head.weight: {kind}"):
        keras_cait.load_weights(model, path)


@needs_torch
def test_views_are_read_with_their_own_values(torch, tmp_path):
    tensors = load_file(weights("tiny/deit"))
    tensors = {key: torch.from_numpy(value) for key, value in tensors.items()}
    head = tensors["head.weight"]
    negative = torch.complex(head, -head).conj().imag  # a view that turns the sign
    tensors["head.weight"] = negative
    tensors["norm.weight"] = torch.ones(1).expand(32)
    torch.save(tensors, tmp_path / "model.pth")
    model = keras_cait.load_weights(tiny_deit(), tmp_path / "model.pth")
    kernel, _ = model.get_layer("head").get_weights()
    np.testing.assert_array_equal(kernel, head.numpy().T)
    np.testing.assert_array_equal(model.get_layer("norm").gamma, np.ones(32))


@needs_torch
def test_a_compressed_archive_is_refused(torch, tmp_path):
    torch.save({"norm.bias": torch.zeros(1000)}, tmp_path / "plain.pth")
    path = tmp_path / "model.pth"
    plain = zipfile.ZipFile(tmp_path / "plain.pth")
    with plain, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    model = tiny_deit()
    with load_fails(model, str(path), "is compressed"):
        keras_cait.load_weights(model, path)


@needs_torch
@pytest.mark.parametrize(
    "content", [{0: 1.0}, {"vit.norm.weight": 1.0}, {"model": [1.0]}, {"model": 3}, {}]
)
def test_other_layouts_are_refused_as_such(content, torch, tmp_path):
    path = tmp_path / "model.pth"
    torch.save({k: torch.ones(32) if v == 1.0 else v for k, v in content.items()}, path)
    model = tiny_deit()
    with load_fails(model, str(path), "another layout: it holds none of the model's"):
        keras_cait.load_weights(model, path)


@needs_torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("legacy", [False, True])
def test_random_damage_raises_one_error(legacy, torch, tmp_path):
    tensors = load_file(weights("tiny/deit"))
    tensors = {key: torch.from_numpy(value) for key, value in tensors.items()}
    path = tmp_path / "model.pth"
    torch.save(tensors, path, _use_new_zipfile_serialization=not legacy)
    whole = path.read_bytes()
    model = tiny_deit()
    before = weight_values(model)
    generator = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(whole)
        start = int(generator.beta(0.3, 0.3) * len(whole))
        length = int(generator.integers(1, 40))
        damaged[start : start + length] = generator.bytes(length)
        path.write_bytes(damaged)
        with contextlib.suppress(ValueError):
            keras_cait.load_weights(model, path)
            model.set_weights(list(before.values()))
        assert_equal_weights(model, before)
