"""A run resumes only itself, and its trainings do not depend on the devices."""

import keras
import numpy as np
import pytest

import keras_cait
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.sources.load import load_dataset
from keras_cait.training.fit import fit
from keras_cait.training.run import Run
from keras_cait.training.run_batches import batches_of_test_images
from keras_cait.training.settings.run_settings import RunSettings
from keras_cait.training.teachers.teacher import make_teacher
from tests.support.models.tiny_models import without_values

SIZE = 224


def published() -> keras.Model:
    with without_values():
        return keras_cait.DeiT_Ti(weights=None, classes=10)


def unpublished() -> keras.Model:
    return keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten()])


@pytest.mark.parametrize(
    ("make", "setting", "crop_pct"),
    [(published, None, 0.9), (published, 0.8, 0.8), (unpublished, None, 1.0)],
)
def test_models_are_measured_as_they_are_published(make, setting, crop_pct, tmp_path):
    data = load_dataset("digits", limit=2)
    config = RunSettings(image_size=SIZE, crop_pct=setting, output=tmp_path / "run")
    images, _ = next(iter(batches_of_test_images(Run(config, data, ()), make())))
    transform = EvaluationTransform(
        image_size=(SIZE, SIZE), crop_pct=crop_pct, channels=3
    )
    first = next(iter(data.test.in_order()))
    expected = transform(data.test.read(first)[0])
    np.testing.assert_array_equal(images[0], expected)


def test_a_run_of_other_orders_is_not_resumed(tmp_path, monkeypatch):
    """A seed gives other batches in another version, in mid-epoch too."""
    data = load_dataset("digits", limit=20)
    config = RunSettings(output=tmp_path / "run", batch_size=10, resume=True)
    Run(config, data, ("config.json",)).start()
    Run(config, data, ("config.json",)).start()
    monkeypatch.setattr("keras_cait.training.run.ORDER_VERSION", 3)
    with pytest.raises(ValueError, match="order_version: 2 there, 3 here"):
        Run(config, data, ("config.json",)).start()


def trained_convnet(strategy, folder):
    config = RunSettings(
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
    fit(run, "teacher", teacher.model)
    run.write_model("teacher.keras", teacher.model)
    saved = keras.saving.load_model(folder / "teacher.keras", compile=False)
    norms = [x for x in saved.layers if type(x).__name__ == "BatchNormalization"]
    assert norms
    assert keras_cait.class_names_of(saved) == tuple("0123456789")
    assert not any(norm.synchronized for norm in norms)
    return run.history[-1], saved.get_weights()


@pytest.mark.slow  # tests/distillation/fit has one and two replicas
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")
def test_a_convnet_trains_the_same_on_one_replica_and_on_two(tmp_path):
    (log, weights), (other, others) = (
        trained_convnet(name, tmp_path / name) for name in ("single", "mirrored:2")
    )
    for key in ("loss", "val_loss", "val_accuracy"):
        assert log[key] == pytest.approx(other[key], abs=1e-5)
    for one, two in zip(weights, others, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
