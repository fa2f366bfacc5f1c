"""Strategies by name."""

import keras
import pytest

from keras_cait.training.devices.strategy import make_strategy, scope_of
from keras_cait.training.devices.worker_agreement import shard_of


@pytest.mark.parametrize("name", ["single", "auto"])
def test_one_device_has_no_strategy(name):
    assert make_strategy(name) is None
    with scope_of(None):
        assert keras.Variable(1.0).shape == ()


def test_mirrored_2_has_two_replicas():
    strategy = make_strategy("mirrored:2")
    assert strategy.num_replicas_in_sync == 2
    with scope_of(strategy):
        import tensorflow as tf

        assert tf.distribute.get_strategy() is strategy


@pytest.mark.parametrize(
    "name", ["mirror", "single:2", "mirrored:0", "mirrored:two", "mirrored:9"]
)
def test_an_unknown_name_or_too_many_devices_are_refused(name):
    with pytest.raises(ValueError, match=name):
        make_strategy(name)


def test_the_same_devices_get_the_same_strategy():
    """Two would number their collective operations alike, and mix them up."""
    assert make_strategy("mirrored:2") is make_strategy("mirrored:2")
    assert make_strategy("mirrored:2") is not make_strategy("mirrored:1")


def test_a_batch_that_replicas_cannot_share_is_refused():
    shard_of(None).check_batch_size(7, paired=True)
    two = shard_of(make_strategy("mirrored:2"))
    two.check_batch_size(8, paired=False)
    expected = r"multiple of 2 .* 2 replica\(s\)\. .*batch_size=7\. Take 6 or 8"
    for paired in (False, True):
        with pytest.raises(ValueError, match=expected):
            two.check_batch_size(7, paired=paired)
