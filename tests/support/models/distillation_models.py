"""Small models and data that the tests of the distiller share."""

import keras
import numpy as np

import keras_cait

CLASSES = 4
SHAPE = (16, 16, 3)


def make_student(
    distilled=True,
    activation: str | None = "softmax",
    drop_path_rate=0.0,
    depth=1,
):
    keras.utils.set_random_seed(1)
    return keras_cait.DeiT(
        input_shape=SHAPE,
        patch_size=8,
        embed_dim=8,
        depth=depth,
        num_heads=2,
        mlp_ratio=2,
        classes=CLASSES,
        distilled=distilled,
        drop_path_rate=drop_path_rate,
        classifier_activation=activation,
    )


def make_teacher(activation=None, shape=SHAPE, classes=CLASSES):
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Conv2D(4, 3, strides=4),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(
                classes,
                kernel_initializer=keras.initializers.RandomNormal(stddev=2.0),
                activation=activation,
            ),
        ]
    )


def make_batch(examples=8, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(examples, *SHAPE)).astype("float32")
    return images, rng.integers(0, CLASSES, examples)


def weights_of(model):
    return {w.path: keras.ops.convert_to_numpy(w.value) for w in model.weights}


def one_step(distiller, images, labels, sample_weight=None):
    """Trains on one batch; returns its log."""
    distiller.reset_metrics()
    return distiller.train_on_batch(images, labels, sample_weight, return_dict=True)
