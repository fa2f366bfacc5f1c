"""`.keras` files that are odd archives: refused, without unpacking much."""

import tracemalloc
import zipfile

import pytest

import keras_cait
from keras_cait.models.published.saved_models import load_saved_model
from tests.support.models.tiny_models import randomize, tiny_deit
from tests.support.weights.weight_checks import (
    assert_equal_weights,
    load_fails,
    weight_values,
)

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")


@pytest.fixture(scope="module")
def model():
    return tiny_deit(depth=1)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """What a `.keras` file of the same layout holds, by name."""
    path = tmp_path_factory.mktemp("whole") / "model.keras"
    randomize(tiny_deit(depth=1)).save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in MEMBERS}


def write(path, content, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def set_flag(path, bit):
    """Sets a flag of every member in its two headers."""
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(signature)
        while start >= 0:
            data[start + offset] |= bit
            start = data.find(signature, start + 4)
    path.write_bytes(data)


def test_a_compressed_archive_loads(model, content, tmp_path):
    path = write(tmp_path / "model.keras", content, zipfile.ZIP_DEFLATED)
    before = weight_values(model)
    keras_cait.load_weights(model, path)
    assert_equal_weights(model, weight_values(randomize(tiny_deit(depth=1))))
    model.set_weights(list(before.values()))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(method, model, content, tmp_path):
    path = write(tmp_path / "model.keras", content, method)
    with load_fails(model, f"complete .keras file. Received: {path}", "not as zip"):
        keras_cait.load_weights(model, path)


def test_an_encrypted_archive_is_refused(model, content, tmp_path):
    path = write(tmp_path / "model.keras", content)
    set_flag(path, 1)
    with load_fails(model, f"complete .keras file. Received: {path}", "encrypted"):
        keras_cait.load_weights(model, path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(model, content, tmp_path):
    path = write(tmp_path / "model.keras", content)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model.weights.h5", content["model.weights.h5"])
    for load in (
        lambda: keras_cait.load_weights(model, path),
        lambda: load_saved_model(path),
    ):
        with load_fails(model, f"Received: {path}", "two files named model.weights.h5"):
            load()


def test_a_wrong_checksum_is_refused(model, content, tmp_path):
    path = write(tmp_path / "model.keras", content)
    data = bytearray(path.read_bytes())
    weights = content["model.weights.h5"]
    data[data.find(weights) + len(weights) - 1] ^= 1
    path.write_bytes(data)
    with load_fails(model, f"complete .keras file. Received: {path}", "Bad CRC-32"):
        keras_cait.load_weights(model, path)


@pytest.mark.parametrize(
    "config", [b"", b"\xff", b"[" * 100_000, b'{"grid_size": [1e400, 2]}', b"null"]
)
def test_weights_load_beside_any_configuration(config, model, content, tmp_path):
    path = write(tmp_path / "model.keras", {**content, "config.json": config})
    before = weight_values(model)
    keras_cait.load_weights(model, path)
    model.set_weights(list(before.values()))


def test_weights_that_unpack_to_too_much_are_refused_early(model, content, tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", content["config.json"])
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(320):
                member.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    for load in (
        lambda: keras_cait.load_weights(model, path),
        lambda: load_saved_model(path),
    ):
        tracemalloc.start()
        try:
            with load_fails(model, f"Received: {path}", "335,544,320 bytes unpacked"):
                load()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2**24
