"""States on disk: the last two, each whole or left out."""

import numpy as np
import pytest

from keras_cait.training.checkpoints import Checkpoints, State, check_room


def state(step, **about):
    values = {"a/b": np.full((2, 3), step, "float32"), "c": np.array(step, "uint32")}
    return State(step=step, values=values, about={"rows": [{"loss": 0.1}], **about})


@pytest.fixture
def checkpoints(tmp_path):
    found = Checkpoints(tmp_path / "new")
    for step in (5, 10, 200):
        found.write(state(step))
    return found


def test_the_newest_is_read_as_it_was_written(checkpoints):
    found = checkpoints.newest()
    assert (found.step, found.about) == (200, {"rows": [{"loss": 0.1}]})
    for name, value in state(200).values.items():
        np.testing.assert_array_equal(found.values[name], value)
        assert found.values[name].dtype == value.dtype


def test_the_last_two_are_kept_and_nothing_else(checkpoints):
    names = [path.name for path in checkpoints.folder.iterdir()]
    expected = ["step-0000000010.safetensors", "step-0000000200.safetensors"]
    assert sorted(names) == expected


def test_none_where_there_is_none(tmp_path):
    assert Checkpoints(tmp_path / "nowhere").newest() is None


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def emptied(path):
    path.write_bytes(b"")


def turned(path):
    """One bit of the last number."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def retold(path):
    """One letter of what is said of it."""
    path.write_bytes(path.read_bytes().replace(b"loss", b"boss"))


@pytest.mark.parametrize("damage", [cut, emptied, turned, retold])
def test_a_damaged_one_falls_back_to_the_one_before(damage, checkpoints):
    damage(checkpoints.paths()[0])
    with pytest.warns(UserWarning, match="step-0000000200.safetensors is damaged"):
        assert checkpoints.newest().step == 10


def test_no_room_is_said_before(tmp_path):
    check_room(tmp_path, 1)
    with pytest.raises(OSError, match=r"3 checkpoints take .* MB are free\. Make room"):
        check_room(tmp_path, 2**60)
