"""One worker of a training on digits, named by TF_CONFIG, or the only one.

python -m tests.support.training.worker '{"output": "found.npz", "epochs": 2}'
"""

import json
import os
import signal
import sys
from typing import Literal

import keras
import numpy as np

import keras_cait
from keras_cait import Distiller
from keras_cait.data.batches import evaluation_batches, training_batches
from keras_cait.data.mixing import Mixing
from keras_cait.data.sources.load import load_dataset
from keras_cait.training.devices.strategy import make_strategy, scope_of
from keras_cait.training.devices.worker_agreement import distribute, is_chief, shard_of

IMAGES = 43  # test images too: three in the last batch of eight
OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=1.0),
    "adamw": lambda: keras.optimizers.AdamW(1e-2, epsilon=1e-3),
}


def train(
    *,
    output="",
    strategy="auto",
    timeout=30.0,
    epochs=2,
    batch_size=8,
    mixed=True,
    optimizer="sgd",
    jit_compile: bool | Literal["auto"] = "auto",
    fault="",
):
    """Writes the logs and the weights; with a fault, trains on until it happens."""
    strategy = make_strategy(strategy, timeout=timeout)
    shard = shard_of(strategy)
    data = load_dataset("digits", limit=IMAGES)
    whole_run = epochs + (1000 if fault else 0)
    training = training_batches(
        data.train,
        [lambda record, seed: record],
        batch_size,
        epochs=whole_run,
        seed=7,
        mixing=Mixing() if mixed else None,
        classes=10,
        shard=shard,
    )
    testing = evaluation_batches(data.test, lambda record: record, 8, shard=shard)
    keras.utils.set_random_seed(0)
    with scope_of(strategy):
        distiller = make_distiller()
        distiller.compile(OPTIMIZERS[optimizer](), jit_compile=jit_compile)
    losses, rows = [], []

    def after_step(step, logs):
        losses.append(float(logs["loss"]))
        if len(losses) > epochs * (IMAGES // batch_size) + 1:
            FAULTS[fault]()

    def after_epoch(epoch, logs):
        rows.append(logs)
        if epoch == epochs - 1 and output and is_chief(strategy):
            log = {"epochs": rows, "losses": losses}
            weights = [
                keras.ops.convert_to_numpy(weight) for weight in distiller.weights
            ]
            np.savez(output, *weights, log=json.dumps(log))

    distiller.fit(
        distribute(strategy, training),
        validation_data=distribute(strategy, testing, size=8 // shard.count),
        epochs=whole_run,
        steps_per_epoch=IMAGES // batch_size,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_train_batch_end=after_step, on_epoch_end=after_epoch
            )
        ],
        shuffle=False,
        verbose=0,
    )


def make_distiller():
    student = keras_cait.DeiT(
        input_shape=(8, 8, 1),
        patch_size=4,
        embed_dim=8,
        depth=1,
        num_heads=2,
        classes=10,
        distilled=True,
    )
    layers = [keras.layers.Flatten(), keras.layers.Dense(10)]
    return Distiller(student, keras.Sequential([keras.Input((8, 8, 1)), *layers]))


def fail():
    raise RuntimeError("worker failed")


FAULTS = {
    "none": lambda: None,
    "dies": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "fails": fail,
    "stops": lambda: os.kill(os.getpid(), signal.SIGSTOP),
}


if __name__ == "__main__":
    train(**json.loads(sys.argv[1]))
