"""A convnet with batch normalisation learns the same on one replica and on two."""

import keras
import numpy as np
import pytest

from keras_cait.data.datasets import load_dataset
from keras_cait.training.run import Run
from keras_cait.training.run_config import RunConfig
from keras_cait.training.teachers import make_teacher

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.distribute"
)


def trained(strategy, folder):
    config = RunConfig(
        strategy=strategy,
        output=folder,
        augment="none",
        mixup=0.0,
        cutmix=0.0,
        repeats=1,
        batch_size=16,
        epochs=2,
        warmup_epochs=0,
        optimizer="sgd",
        learning_rate=0.05,
        jit=True,
    )
    run = Run(config, load_dataset("digits", limit=64), ("history.csv",))
    shape = (run.image_shape, run.classes)
    teacher = run.make(lambda: make_teacher("convnet", *shape, widths=[4], blocks=1))
    run.start()
    run.fit("teacher", teacher.model)
    run.folder.write_model("teacher.keras", teacher.model)
    saved = keras.saving.load_model(folder / "teacher.keras", compile=False)
    norms = [x for x in saved.layers if type(x).__name__ == "BatchNormalization"]
    assert norms
    assert not any(norm.synchronized for norm in norms)
    return run.history[-1], saved.get_weights()


def test_one_and_two_replicas_agree(tmp_path):
    (log, weights), (other, others) = (
        trained(name, tmp_path / name) for name in ("single", "mirrored:2")
    )
    for key in ("loss", "val_loss", "val_accuracy"):
        assert log[key] == pytest.approx(other[key], abs=1e-5)
    for one, two in zip(weights, others, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
