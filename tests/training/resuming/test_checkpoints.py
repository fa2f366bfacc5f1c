"""The last two checkpoints are kept, and damaged files are never read."""

import json
import re
import resource
import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from keras_cait.training.resuming.checkpoints import (
    Checkpoint,
    CheckpointFolder,
    _digest,
)


def checkpoint(step, **options):
    values = {"a/b": np.full((2, 3), step, "float32"), "c": np.array(step, "uint32")}
    return Checkpoint(step=step, values=values, rows=[{"loss": 0.1}], **options)


def assert_same(found, expected):
    for name, value in expected.values.items():
        np.testing.assert_array_equal(found.values[name], value)
        assert found.values[name].dtype == value.dtype
    without_values = {"values": {}}
    assert replace(found, **without_values) == replace(expected, **without_values)


@pytest.fixture
def checkpoints(tmp_path):
    found = CheckpointFolder(tmp_path / "new")
    for step in (5, 10, 200):
        found.write(checkpoint(step))
    return found


def test_the_newest_checkpoint_is_read_as_it_was_written(checkpoints):
    assert_same(checkpoints.newest(), checkpoint(200))


def test_a_finished_training_is_read_as_it_was_written(checkpoints):
    finished = checkpoint(300, is_done=True, results={"averaged": None})
    checkpoints.write(finished)
    assert_same(checkpoints.newest(), finished)


def test_only_the_last_two_checkpoints_are_kept(checkpoints):
    names = [path.name for path in checkpoints.path.iterdir()]
    expected = ["step-0000000010.safetensors", "step-0000000200.safetensors"]
    assert sorted(names) == expected


def test_an_empty_folder_gives_none(tmp_path):
    assert CheckpointFolder(tmp_path / "nowhere").newest() is None


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def emptied(path):
    path.write_bytes(b"")


def turned(path):
    """Flips one bit of the last number."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def retold(path):
    """Changes one letter of the metadata."""
    path.write_bytes(path.read_bytes().replace(b"loss", b"boss"))


def replaced_by_a_folder(path):
    path.unlink()
    path.mkdir()


def with_metadata(metadata):
    """A change that writes the same values with other metadata."""

    def change(path):
        save_file(load_file(path), path, metadata)

    return change


def with_about(text, **metadata):
    """A change that writes other JSON, with the hash that belongs to it."""

    def change(path):
        values = load_file(path)
        found = {"about": text, "sha256": _digest(values, text), **metadata}
        save_file(values, path, found)

    return change


def with_bfloat16(path):
    """A type that NumPy does not have."""
    content = path.read_bytes().replace(b'"U32"', b'"X32"')
    path.write_bytes(content)


KNOWN = {"rows": [], "done": False, "more": {}}
DAMAGES = {
    "cut": cut,
    "emptied": emptied,
    "turned": turned,
    "retold": retold,
    "a folder": replaced_by_a_folder,
    "an unknown type": with_bfloat16,
    "no metadata": with_metadata(None),
    "metadata of another program": with_metadata({"format": "pt"}),
    "no hash": with_metadata({"about": json.dumps(KNOWN)}),
    "of version 2": with_about(json.dumps(KNOWN), version="2"),
    "not JSON": with_about("rows"),
    **{
        f"{about!r}": with_about(json.dumps(about))
        for about in (
            *(None, 1, "text", [], [KNOWN], {}),
            *(KNOWN | {name: value} for name in KNOWN for value in (None, 1, [1])),
        )
    },
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_falls_back_to_the_one_before(damage, checkpoints):
    newest, before = checkpoints.paths()
    content = before.read_bytes()
    damage(before)
    assert_same(checkpoints.newest(), checkpoint(200))  # needs no other
    damage(newest)
    with pytest.raises(ValueError, match=r"must have a readable checkpoint") as error:
        checkpoints.newest()
    for path in (newest, before):
        assert re.search(rf"{re.escape(str(path))} \(.+\)", str(error.value))
    assert "--overwrite" in str(error.value)
    shutil.rmtree(before) if before.is_dir() else before.unlink()
    with pytest.raises(ValueError, match=r"must have a readable checkpoint"):
        checkpoints.newest()
    before.write_bytes(content)
    expected = r"cannot be read: .*step-0000000200.* \(.+\)\. Resuming from step 10,"
    with pytest.warns(UserWarning, match=expected):
        assert_same(checkpoints.newest(), checkpoint(10))


def test_without_the_newest_file_the_one_before_is_read(checkpoints):
    checkpoints.paths()[0].unlink()
    assert_same(checkpoints.newest(), checkpoint(10))


def test_files_without_a_version_are_read_as_version_1(checkpoints):
    with_about(json.dumps({"rows": [{"loss": 0.1}], "done": False, "more": {}}))(
        checkpoints.paths()[0]
    )
    assert_same(checkpoints.newest(), checkpoint(200))


def test_flipped_bits_and_cut_files_are_refused(checkpoints):
    """The file with one bit turned, and cut after any byte; samples of both."""
    checkpoints.paths()[1].unlink()
    (path,) = checkpoints.paths()
    content = path.read_bytes()
    bits = np.unpackbits(np.frombuffer(content, "uint8"))
    damaged = [content[:length] for length in range(0, len(content), 5)]
    for bit in range(0, len(bits), 11):
        flipped = bits.copy()
        flipped[bit] ^= 1
        damaged.append(np.packbits(flipped).tobytes())
    refused = 0
    for each in damaged:
        path.write_bytes(each)
        try:
            assert_same(checkpoints.newest(), checkpoint(200))
        except ValueError:
            refused += 1
    assert refused > 0.95 * len(damaged)


def test_too_little_disk_space_is_refused(tmp_path):
    CheckpointFolder(tmp_path).check_disk_space(1)
    with pytest.raises(OSError, match=r"3 more .* MB are free\. Make room.*--resume"):
        CheckpointFolder(tmp_path).check_disk_space(2**60)


def test_existing_checkpoints_count_for_the_disk_space(checkpoints):
    with pytest.raises(OSError, match=r"1 more checkpoint"):
        checkpoints.check_disk_space(2**60)


def test_a_checkpoint_that_does_not_fit_leaves_the_last_two(checkpoints):
    """The system refuses what does not fit, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = Checkpoint(step=300, values={"a": np.zeros(10_000)}, rows=[])
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        expected = r"must be able to write .*step-0000000300\.safetensors \(.*--resume"
        with pytest.raises(OSError, match=expected):
            checkpoints.write(large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_same(checkpoints.newest(), checkpoint(200))
    assert len(list(checkpoints.path.iterdir())) == 2
    checkpoints.write(large)
    assert checkpoints.newest().step == 300
