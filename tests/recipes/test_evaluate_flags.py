"""Each flag of evaluate.py with each source of weights: applied, or an error."""

import json
import re

import keras
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

import keras_cait
from keras_cait import Preprocessing
from keras_cait.models.published.rebuilding import rebuild
from keras_cait.training.programs.evaluated_model import normalization_of
from keras_cait.training.settings.evaluation_settings import EvaluationSettings
from recipes.evaluate import main
from tests.support.data.pictures import results_of, without_compiling, write_pictures
from tests.support.models.tiny_models import randomize, to_numpy

CLASSES = ("ant", "bee", "cat")
HALF = Preprocessing(mean=(0.5,) * 3, std=(0.5,) * 3)
ODD = ["--mean", "0.1", "0.6", "0.9", "--std", "0.9", "0.2", "0.4"]
IMAGENET = Preprocessing()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return write_pictures(folder / "val", CLASSES, size=(20, 26), number=8)


def tiny(**options):
    sizes = {"patch_size": 4, "embed_dim": 16, "depth": 1, "num_heads": 2}
    settings = {"input_shape": (16, 16, 3), "classes": 3, "preprocessing": HALF}
    return randomize(keras_cait.DeiT(**{**sizes, **settings, **options}))


def published(path, **options):
    """A file of weights that timm's name means, with what is said beside them."""
    settings = {"input_shape": (16, 16, 3), "classes": 3, "class_names": CLASSES}
    model = keras_cait.DeiT_Ti(weights=None, **{**settings, **options})
    keras_cait.save_timm_weights(randomize(model), path)
    return model


def measured(pictures, *arguments, capsys):
    with without_compiling():
        code = main([*map(str, arguments), "--data-dir", str(pictures)])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return results_of(captured.out)


def by_hand(model, pictures, preprocessing, side=16, crop_pct=1.0, order=(0, 1, 2)):
    """Percent that a model of normalized images has right, prepared with PIL."""
    views, labels = [], []
    for label, name in enumerate(CLASSES):
        for path in sorted((pictures / name).iterdir()):
            image = Image.open(path)
            scale = int(side / crop_pct) / min(image.size)
            size = [int(scale * length) for length in image.size]
            image = image.resize(size, Image.Resampling.BICUBIC)
            left, above = (round((length - side) / 2) for length in image.size)
            image = image.crop((left, above, left + side, above + side))
            pixels = np.asarray(image, "float32") / 255
            views.append((pixels - preprocessing.mean) / preprocessing.std)
            labels.append(order[label])
    scores = to_numpy(model(np.array(views, "float32")))
    return 100 * np.mean(scores.argmax(-1) == labels)


def without_preprocessing(model):
    """The same weights for images that come normalized."""
    outside = tiny(input_shape=model.input_shape[1:])
    outside.set_weights(model.get_weights())
    return outside


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("flags", "include_preprocessing"),
    [
        (ODD, True),
        pytest.param(ODD, False, marks=SLOW),
        pytest.param([], True, marks=SLOW),
        pytest.param([], False, marks=SLOW),
    ],
)
def test_mean_and_std_of_a_keras_file_come_from_the_flags_then_the_model(
    flags, include_preprocessing, pictures, tmp_path, capsys
):
    model = tiny(include_preprocessing=include_preprocessing)
    model.save(tmp_path / "model.keras")
    arguments = ["--weights", tmp_path / "model.keras", *flags]
    found = measured(pictures, *arguments, capsys=capsys)
    wanted = HALF
    if flags:
        wanted = Preprocessing(mean=(0.1, 0.6, 0.9), std=(0.9, 0.2, 0.4))
    expected = by_hand(without_preprocessing(model), pictures, wanted)
    assert found["top1"] == pytest.approx(expected, abs=0.01)
    # As numbers, of which a share of the images tells little.
    given: dict = {"mean": wanted.mean, "std": wanted.std} if flags else {}
    config = EvaluationSettings(weights="model.keras", **given)
    scale, offset = normalization_of(config, model, wanted)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), "uint8")
    normalized = ((pixels / 255 - wanted.mean) / wanted.std).astype("float32")
    np.testing.assert_allclose(
        to_numpy(model(pixels * scale + offset)),
        to_numpy(without_preprocessing(model)(normalized)),
        rtol=1e-3,
        atol=1e-5,
    )


def test_image_size_of_a_keras_file_is_honored(pictures, tmp_path, capsys):
    tiny(include_preprocessing=True).save(tmp_path / "model.keras")
    arguments = ["--weights", tmp_path / "model.keras", "--image-size", 24]
    found = measured(pictures, *arguments, capsys=capsys)
    larger = rebuild(tmp_path / "model.keras", input_shape=(24, 24, 3), classes=3)
    expected = by_hand(without_preprocessing(larger), pictures, HALF, side=24)
    assert found["top1"] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    "flags",
    [
        ["--crop-pct", "0.8"],
        pytest.param(ODD, marks=SLOW),
        pytest.param([], marks=SLOW),
    ],
)
def test_preprocessing_comes_from_the_flags_then_a_timm_file(
    flags, pictures, tmp_path, capsys
):
    path = tmp_path / "model.safetensors"
    model = published(path, preprocessing=HALF)
    arguments = ["--model", "deit_tiny_patch16_224", "--image-size", 16]
    found = measured(pictures, *arguments, "--weights", path, *flags, capsys=capsys)
    crop_pct = 0.8 if "--crop-pct" in flags else 1.0
    wanted = HALF
    if "--mean" in flags:
        wanted = Preprocessing(mean=(0.1, 0.6, 0.9), std=(0.9, 0.2, 0.4))
    expected = by_hand(model, pictures, wanted, crop_pct=crop_pct)
    assert found["top1"] == pytest.approx(expected, abs=0.01)


@SLOW  # tests/weights/metadata/test_source_metadata.py reads it too
def test_preprocessing_and_classes_come_from_a_hub_config(pictures, tmp_path, capsys):
    (tmp_path / "repository").mkdir()
    path = tmp_path / "repository" / "model.safetensors"
    model = published(path)
    save_file(load_file(path), path)  # without what our own files say
    config = {"mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 0.8}
    config = {"pretrained_cfg": config, "label_names": CLASSES}
    (path.parent / "config.json").write_text(json.dumps(config))
    arguments = ["--model", "DeiT_Ti", "--image-size", 16, "--weights", path]
    found = measured(pictures, *arguments, capsys=capsys)
    expected = by_hand(model, pictures, HALF, crop_pct=0.8)
    assert found["top1"] == pytest.approx(expected, abs=0.01)


@SLOW
def test_a_model_beside_a_keras_file_gets_its_weights(pictures, tmp_path, capsys):
    model = keras_cait.DeiT_Ti(
        weights=None, input_shape=(16, 16, 3), classes=3, preprocessing=HALF
    )
    randomize(model).save(tmp_path / "model.keras")
    arguments = ["--model", "DeiT_Ti", "--image-size", 16]
    arguments += ["--weights", tmp_path / "model.keras"]
    found = measured(pictures, *arguments, capsys=capsys)
    expected = by_hand(model, pictures, HALF)
    assert found["top1"] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("names", "match", "order"),
    [
        pytest.param(("cat", "ant", "bee"), "name", (1, 2, 0), marks=SLOW),
        (("cat", "ant", "bee"), "index", (0, 1, 2)),
        pytest.param(None, "name", (0, 1, 2), marks=SLOW),
        (("x", "cat", "y", "ant", "bee"), "name", (3, 4, 1)),
    ],
)
def test_classes_are_matched_by_name(names, match, order, pictures, tmp_path, capsys):
    classes = len(names or CLASSES)
    model = tiny(classes=classes, class_names=names)
    model.save(tmp_path / "model.keras")
    arguments = ["--weights", tmp_path / "model.keras", "--match", match]
    found = measured(pictures, *arguments, "--per-class", capsys=capsys)
    expected = by_hand(model, pictures, HALF, order=order)
    assert found["top1"] == pytest.approx(expected, abs=0.01)


def other_package(path):
    images = keras.Input((16, 16, 3))
    x = keras.layers.Rescaling(1 / 255, name="scaled")(images)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(x))
    keras.Model(images, keras.layers.Dense(3)(x)).save(path)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--image-size", "24"], "--image-size is for transformers of this package"),
        (ODD, "--mean and --std are for models whose own are known.*'scaled'"),
    ],
)
def test_image_size_or_mean_for_a_model_of_another_package_is_refused(
    flags, said, pictures, tmp_path, capsys
):
    other_package(tmp_path / "other.keras")
    arguments = ["--weights", str(tmp_path / "other.keras"), *flags]
    assert main([*arguments, "--data-dir", str(pictures)]) == 2
    error = capsys.readouterr().err
    assert re.search(said, error), error


def test_other_classes_are_refused_with_both_lists(pictures, tmp_path, capsys):
    tiny(class_names=("ant", "bee", "dog")).save(tmp_path / "model.keras")
    arguments = ["--weights", str(tmp_path / "model.keras")]
    assert main([*arguments, "--data-dir", str(pictures)]) == 2
    error = capsys.readouterr().err
    assert "1 of 3 that the model lacks, 'cat'" in error
    assert "without images are 'dog'" in error
    assert "--match index" in error
