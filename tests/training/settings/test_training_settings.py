"""The defaults are the paper's, and a value out of range names its flag."""

import dataclasses

import pytest

from keras_cait.training.settings.training_settings import (
    BATCH_SETTINGS,
    TrainingSettings,
)


def settings(**changed):
    return TrainingSettings(**changed)


@pytest.mark.parametrize(("batch_size", "rate"), [(1024, 1e-3), (128, 1.25e-4)])
def test_only_the_peak_rate_is_scaled_by_the_batch(batch_size, rate):
    found = settings(batch_size=batch_size)
    assert found.peak_learning_rate == rate
    assert (found.warmup_learning_rate, found.final_learning_rate) == (1e-6, 1e-5)


def test_the_defaults_are_those_of_table_9():
    assert settings().peak_learning_rate == 1e-3
    found = dataclasses.asdict(settings())
    expected = {"epochs": 300, "batch_size": 1024, "weight_decay": 0.05, "repeats": 3}
    assert {name: found[name] for name in expected} == expected


def test_the_peak_rate_is_scaled_by_the_images_per_step():
    doubled = settings(batch_size=512, accumulation_steps=2)
    assert doubled.peak_learning_rate == 1e-3
    fixed = settings(scale_learning_rate=False, learning_rate=5e-6)
    assert fixed.peak_learning_rate == 5e-6


def test_batch_settings_are_training_settings():
    assert set(BATCH_SETTINGS) < {
        field.name for field in dataclasses.fields(settings())
    }


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epochs": 0}, "--epochs must be 1 or more. Received: 0"),
        ({"accumulation_steps": 0}, "--accumulation-steps must be 1 or more"),
        ({"learning_rate": 0.0}, "--learning-rate must be above 0"),
        ({"crop_pct": 1.2}, "--crop-pct must be above 0 and at most 1"),
        ({"drop_path_rate": 1.0}, "--drop-path-rate must be in"),
        ({"loss": "sigmoid"}, "--smoothing must be 0 with --loss sigmoid"),
    ],
)
def test_a_value_out_of_range_names_its_flag(changed, said):
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is checked
        settings(**changed)
    assert said in str(error.value)
