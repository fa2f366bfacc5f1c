"""Short trainings by distillation, on one replica or two."""

import keras

from keras_cait import Distiller
from keras_cait.training.devices.strategy import make_strategy, scope_of
from tests.support.models.distillation_models import (
    CLASSES,
    SHAPE,
    make_batch,
    make_teacher,
)


def make_student():
    """A small student network."""
    keras.utils.set_random_seed(1)
    images = keras.Input(SHAPE)
    x = keras.layers.AveragePooling2D(4)(images)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(8, activation="tanh", name="hidden")(x)
    return keras.Model(images, keras.layers.Dense(CLASSES, name="head")(x))


def train(optimizer, *, replicas=1, batch_size=8, policy="float32", callbacks=()):
    r"""Trains one epoch of 32 images with `optimizer\(\)`; returns the distiller."""
    strategy = make_strategy(f"mirrored:{replicas}" if replicas > 1 else "single")
    with scope_of(strategy):
        keras.config.set_dtype_policy(policy)
        student = make_student()
        keras.config.set_dtype_policy("float32")
        distiller = Distiller(student, make_teacher())
        distiller.compile(optimizer(), jit_compile=False)
    images, labels = make_batch(32)
    distiller.fit(
        images,
        labels,
        batch_size=batch_size,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
    )
    return distiller
