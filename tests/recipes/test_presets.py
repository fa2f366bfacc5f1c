"""Presets resolve to the settings of the official commands.

Their numbers are lines of facebookresearch/deit at commit 7e160fe, or issues there.
"""

import dataclasses
import importlib

import keras
import pytest

import keras_cait
from keras_cait.models.published.registry import find_variant
from keras_cait.training.programs import distill, finetune, launch, train
from keras_cait.training.recipes import (
    distill_cait,
    distill_deit,
    train_cait,
    train_deit,
)
from keras_cait.training.recipes import finetune as finetuning
from keras_cait.training.settings.training_settings import TrainingSettings

PROGRAMS = {"train": train, "distill": distill, "finetune": finetune}

# For small images, the other schedule, 3-Augment, and a token for distillation.
WITHOUT_EFFECT = {"shift", "rotation", "zoom", "decay_epochs", "decay_rate"}
WITHOUT_EFFECT |= {"color_jitter", "decay_distillation_token"}


@pytest.mark.parametrize(
    "preset",
    [
        train_deit.IMAGENET,
        train_deit.DEIT3,
        train_cait.IMAGENET,
        distill_deit.IMAGENET,
        distill_cait.IMAGENET,
        *(finetuning.PRESETS[name] for name in ("deit-384", "cifar10", "inaturalist")),
    ],
)
def test_a_paper_s_preset_names_every_training_setting(preset):
    fields = {field.name for field in dataclasses.fields(TrainingSettings)}
    assert fields - set(preset) <= WITHOUT_EFFECT


@pytest.mark.parametrize(
    ("trained", "distilled"),
    [(train_deit, distill_deit), (train_cait, distill_cait)],
)
def test_a_model_is_trained_and_distilled_with_the_same_settings(trained, distilled):
    expected = {k: v for k, v in trained.IMAGENET.items() if k != "model"}
    assert {name: distilled.IMAGENET[name] for name in expected} == expected


@pytest.fixture
def settings_of(monkeypatch, tmp_path):
    """Runs a recipe on digits up to its training; returns the resolved settings."""

    def resolve(recipe, *arguments):
        main = importlib.import_module(f"recipes.{recipe}").main
        program = recipe.partition("_")[0]
        seen = []

        def record(config, data, **options):
            seen.append(config)
            return {"accuracy": 0.5}

        monkeypatch.setattr(PROGRAMS[program], program, record)
        monkeypatch.setattr(launch, "write_model_card", lambda *facts: None)
        output = ["--dataset", "digits", "--output", str(tmp_path / "out")]
        assert main([*map(str, arguments), *output]) == 0
        return seen[0]

    return resolve


def check(config, expected):
    assert {name: getattr(config, name) for name in expected} == expected


# main.py:32-188 and README_deit.md:216-246: what all official runs have in common.
COMMON = {
    "optimizer": "adamw",
    "schedule": "cosine",
    "rate_per_step": False,
    "warmup_epochs": 5,
    "warmup_learning_rate": 1e-6,
    "final_learning_rate": 1e-5,
    "weight_decay": 0.05,
    "clip_norm": None,
    "ema": 0.99996,
    "loss": "softmax",
    "crop": "resized",
    "flip": True,
    "augment": "rand-m9-mstd0.5-inc1",
    "erasing": 0.25,
    "mixup": 0.8,
    "cutmix": 1.0,
    "smoothing": 0.1,
    "repeats": 3,
}
DEIT3 = {  # README_revenge.md:81, 412, 745, 1078, and FusedLAMB's max_grad_norm
    **COMMON,
    "optimizer": "lamb",
    "clip_norm": 1.0,
    "loss": "sigmoid",
    "augment": "3a",
    "color_jitter": 0.3,
    "erasing": 0.0,
    "smoothing": 0.0,
    "epochs": 800,
    "batch_size": 2048,
    "crop_pct": 1.0,
}
DEIT3_FINETUNED = {  # README_revenge.md:1411, 1432, 1453, 1475, 1495, 1515
    **COMMON,
    "peak_learning_rate": 1e-5,
    "weight_decay": 0.1,
    "erasing": 0.0,
    "repeats": 1,
    "epochs": 20,
    "batch_size": 512,
    "crop_pct": 1.0,
}


@pytest.mark.parametrize("recipe", ["train_deit", "distill_deit"])
def test_deit_is_pretrained_as_officially(recipe, settings_of):
    expected = {"epochs": 300, "batch_size": 1024, "peak_learning_rate": 1e-3}
    expected |= {"crop_pct": 0.875, "drop_path_rate": None}
    check(settings_of(recipe, "--preset", "imagenet"), {**COMMON, **expected})


@pytest.mark.parametrize("recipe", ["train_cait", "distill_cait"])
def test_cait_is_pretrained_as_published(recipe, settings_of):
    expected = {"epochs": 400, "batch_size": 1024, "peak_learning_rate": 1e-3}
    expected |= {"crop_pct": None, "drop_path_rate": None}
    check(settings_of(recipe, "--preset", "imagenet"), {**COMMON, **expected})


@pytest.mark.parametrize(
    ("model", "image_size", "rate", "drop_path_rate"),
    [
        ("DeiT3_S", 224, 4e-3, 0.05),
        ("DeiT3_B", 192, 3e-3, 0.2),
        ("deit3_large_patch16_224", 192, 3e-3, 0.45),
        ("DeiT3_H", 154, 3e-3, 0.6),
    ],
)
def test_deit3_is_pretrained_as_officially(
    model, image_size, rate, drop_path_rate, settings_of
):
    config = settings_of("train_deit", "--preset", "deit3", "--model", model)
    expected = {"image_size": image_size, "peak_learning_rate": rate}
    check(config, {**DEIT3, **expected, "drop_path_rate": None})
    assert find_variant(model).drop_path_rate == drop_path_rate


def test_a_deit3_without_a_command_keeps_the_size_of_its_images(settings_of):
    config = settings_of("train_deit", "--preset", "deit3", "--model", "DeiT3_M")
    check(config, {**DEIT3, "image_size": None, "drop_path_rate": None})


@pytest.mark.parametrize(
    ("model", "image_size", "drop_path_rate"),
    [
        ("DeiT3_B", None, 0.2),
        ("DeiT3_L", None, 0.45),
        ("DeiT3_H", 224, 0.55),
        ("DeiT3_S", 384, 0.0),
        ("deit3_base_patch16_384", 384, 0.15),
        ("DeiT3_L", 384, 0.4),
        ("DeiT3_S", 224, None),
        ("DeiT3_M", 224, None),
        ("DeiT3_B", 448, None),
    ],
)
def test_deit3_is_finetuned_as_officially(
    model, image_size, drop_path_rate, settings_of
):
    size = [] if image_size is None else ["--image-size", image_size]
    config = settings_of("finetune", "--preset", "deit3", "--model", model, *size)
    expected = {"image_size": image_size or 224, "drop_path_rate": drop_path_rate}
    check(config, {**DEIT3_FINETUNED, **expected})


@pytest.mark.parametrize(
    ("recipe", "name", "value"),
    [
        ("finetune", "drop_path_rate", 0.3),
        ("train_deit", "image_size", 224),
        ("train_deit", "learning_rate", 1e-3),
    ],
)
def test_flags_replace_what_a_preset_sets_for_a_model(recipe, name, value, settings_of):
    flag = ["--" + name.replace("_", "-"), value]
    config = settings_of(recipe, "--preset", "deit3", "--model", "DeiT3_B", *flag)
    check(config, {name: value})


@pytest.mark.slow
@pytest.mark.parametrize(("image_size", "rate"), [(384, 0.0), (224, None)])
def test_a_saved_deit3_is_finetuned_as_officially(
    image_size, rate, settings_of, tmp_path
):
    """What train_deit.py --preset deit3 has left, which names no model."""
    path = tmp_path / "model.keras"
    keras_cait.DeiT3_S(weights=None, input_shape=(32, 32, 3), classes=10).save(path)
    keras.backend.clear_session()
    options = ["--preset", "deit3", "--weights", path, "--image-size", image_size]
    assert settings_of("finetune", *options).drop_path_rate == rate


CROP = {"crop_pct": 0.875}  # main.py:174
FINETUNED = {
    "deit-384": {  # README_deit.md:246; no drop path: commit e6fd5c2
        **COMMON,
        **CROP,
        "image_size": 384,
        "epochs": 30,
        "batch_size": 512,
        "peak_learning_rate": 5e-6,
        "final_learning_rate": 5e-6,
        "weight_decay": 1e-8,
        "drop_path_rate": 0.0,
    },
    "deit-ti-384": {  # deit#120
        **COMMON,
        **CROP,
        "image_size": 384,
        "epochs": 30,
        "batch_size": 512,
        "peak_learning_rate": 1e-5,
        "drop_path_rate": 0.0,
    },
    "cait-m48-448": {  # deit#108
        **COMMON,
        "image_size": 448,
        "epochs": 60,
        "batch_size": 256,
        "peak_learning_rate": 5e-6,
        "schedule": "decay",
        "decay_epochs": 10,
        "decay_rate": 0.5,
        "drop_path_rate": 0.3,
    },
    "cifar10": {  # dino#81
        **COMMON,
        **CROP,
        "image_size": 224,
        "epochs": 1000,
        "batch_size": 768,
        "peak_learning_rate": 7.5e-6,
        "drop_path_rate": 0.1,
    },
    "cifar100": {  # dino#144
        **COMMON,
        **CROP,
        "image_size": 224,
        "epochs": 1000,
        "batch_size": 768,
        "peak_learning_rate": 5e-6,
        "drop_path_rate": 0.1,
    },
    "cifar10-sgd": {  # deit#45
        **COMMON,
        **CROP,
        "optimizer": "sgd",
        "image_size": 224,
        "epochs": 1000,
        "batch_size": 768,
        "peak_learning_rate": 0.01,
        "weight_decay": 1e-4,
        "erasing": 0.0,
        "drop_path_rate": 0.0,
    },
    "inaturalist": {  # deit#105, deit#141
        **COMMON,
        **CROP,
        "image_size": 224,
        "epochs": 360,
        "batch_size": 768,
        "peak_learning_rate": 7.5e-5,
        "erasing": 0.1,
        "drop_path_rate": 0.1,
    },
}


@pytest.mark.parametrize("preset", FINETUNED)
def test_presets_have_the_settings_of_their_authors(preset, settings_of):
    config = settings_of("finetune", "--preset", preset, "--model", "DeiT_B")
    check(config, FINETUNED[preset])


@pytest.mark.parametrize("recipe", ["train_deit", "train_cait", "distill_deit"])
def test_the_photographs_preset_has_no_average_of_weights(recipe, settings_of):
    config = settings_of(recipe, "--preset", "photographs")
    check(config, {"ema": None, "batch_size": 64, "crop_pct": None, "repeats": 3})
