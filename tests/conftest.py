"""Settings that must stand before anything imports Keras."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_configure(config: pytest.Config) -> None:
    """Splits the CPU in two, for strategies of two replicas, where tests run."""
    only_distributes = config.getoption("numprocesses", default=None)
    if os.environ["KERAS_BACKEND"] != "tensorflow" or only_distributes:
        return
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    halves = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, halves)


@pytest.fixture(autouse=True)
def seed() -> None:
    import keras

    keras.utils.set_random_seed(0)
