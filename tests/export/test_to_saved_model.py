"""A SavedModel is written completely, compared, and needs only TensorFlow."""

import json
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from PIL import Image

from keras_cait.export.folding.fold import fold
from keras_cait.export.pipeline.photographs import photographs
from keras_cait.export.pipeline.preparation import prepare
from keras_cait.export.pipeline.report import size_on_disk
from keras_cait.export.to_saved_model import to_saved_model
from tests.support.data.photographs import encoded, photograph
from tests.support.export.served_models import LABELS, Served
from tests.support.models.tiny_models import (
    randomize,
    tiny_cait,
    tiny_deit,
    tiny_regnety,
)

PLAIN_TENSORFLOW = """
    import sys

    class Without:
        def __init__(self, finder):
            self.finder = finder

        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] in ("keras", "keras_cait", "tf_keras"):
                return None
            return self.finder.find_spec(name, path, target)

        def __getattr__(self, name):
            return getattr(self.finder, name)

    sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]

    import json
    import numpy as np
    import tensorflow as tf

    folder, image = sys.argv[1:]
    model = tf.saved_model.load(folder).signatures
    with open(image, "rb") as file:
        content = file.read()
    answer = model["serving_default"](images=tf.constant([content]))
    said = {name: value.numpy()[0].tolist() for name, value in answer.items()}
    said["classes"] = [name.decode() for name in said["classes"]]
    images = tf.io.decode_image(content, channels=3)[None]
    (rows,) = model["probabilities"](images=tf.cast(images, "float32")).values()
    said["probabilities"] = rows.numpy()[0].tolist()
    assert not {"keras", "keras_cait"} & {name.split(".")[0] for name in sys.modules}
    print(json.dumps(said))

    from tensorflow.python.tools import saved_model_cli

    np.save(image + ".npy", np.array([content]))
    run = ["run", "--dir", folder, "--tag_set", "serve"]
    run += ["--signature_def", "serving_default", "--inputs", f"images={image}.npy"]
    for command in (["show", "--dir", folder, "--all"], run):
        sys.argv = ["saved_model_cli", *command]
        try:
            saved_model_cli.main()
        except SystemExit as end:
            assert not end.code, end.code
"""


def small(**overrides):
    """A model that is quickly exported."""
    return tiny_deit(**{"depth": 1, "include_preprocessing": True, **overrides})


def half_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return small()
    finally:
        keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="module")
def plain(served, tmp_path_factory):
    """What TensorFlow says without Keras and keras_cait, in a process of its own."""
    image = tmp_path_factory.mktemp("plain") / "image.png"
    image.write_bytes(encoded(photograph(61, 83), "PNG"))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PLAIN_TENSORFLOW), served.path, image],
        cwd=image.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    first, rest = done.stdout.split("\n", 1)
    return json.loads(first), rest


def test_the_saved_model_runs_without_keras(plain, served):
    said, _ = plain
    found = served.top_classes(encoded(photograph(61, 83), "PNG"))
    assert said["classes"] == found["classes"].astype(str)[0].tolist()
    assert said["indices"] == found["indices"][0].tolist()
    np.testing.assert_allclose(said["scores"], found["scores"][0], rtol=1e-5)
    (found,) = served.outputs("probabilities", photograph(61, 83)[None]).values()
    np.testing.assert_allclose(said["probabilities"], found[0], rtol=1e-5)


def test_saved_model_cli_shows_and_runs_the_model(plain):
    said, printed = plain
    for signature in ("serving_default", "probabilities", "features", "heads"):
        assert f"signature_def['{signature}']" in printed
    assert "dtype: DT_STRING\n        shape: (-1)" in printed
    assert "shape: (-1, -1, -1, 3)" in printed
    assert f"[b'{said['classes'][0]}'" in printed.replace("[[", "[")


def test_the_report_describes_the_comparison(served):
    report = json.loads((served.path.parent / "1.json").read_text())
    assert report["format"] == "saved_model"
    assert report["path"] == str(served.path)
    assert report["labels"] == list(LABELS)
    assert (report["images"], report["top1_agreement"]) == (16, 1)
    assert report["relative_difference"] < 1e-4
    assert "photographs" in report["compared"]
    assert report["image_size"] == [32, 48]
    assert report["size_bytes"] == size_on_disk(served.path)
    assert report["latency_ms"] > 0
    assert report["threads"] >= 1
    assert report["largest_rank"] == 4
    assert report["operators"]["DecodeJpeg"] == 1
    assert "Const" not in report["operators"]
    assert report["details"]["signatures"] == [
        *("features", "heads", "probabilities", "serving_default"),
    ]


def test_weights_are_saved_once(served):
    (weights,) = (served.path / "variables").glob("variables.data*")
    parameters = 4 * prepare(small(input_shape=(32, 48, 3))).model.count_params()
    assert weights.stat().st_size < 1.1 * parameters + 2**14


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: tiny_cait(include_preprocessing=True),
        lambda: tiny_cait(distilled=True),
        lambda: tiny_regnety(classifier_activation=None),
        lambda: tiny_deit(input_shape=(16, 16, 1), include_preprocessing=True),
        lambda: tiny_deit(input_shape=(16, 16, 1)),
        half_precision,
    ],
    ids=["cait", "distilled", "regnety", "gray", "gray, normalized", "half precision"],
)
def test_each_kind_of_model_is_exported(make, tmp_path):
    report = to_saved_model(randomize(make()), tmp_path / "model")
    assert report.comparison.relative_difference < 1e-4
    assert (tmp_path / "model" / "1.json").exists()


@pytest.mark.slow
def test_without_labels_there_are_no_classes(tmp_path):
    images = photographs((32, 32), number=2)
    report = to_saved_model(
        randomize(small()), tmp_path, images=images, top=3, version=7, weights="random"
    )
    assert report.path == tmp_path / "7"
    assert (report.weights, report.comparison.images) == ("random", 2)
    served = Served.load(report.path)
    found = served.top_classes(encoded(photograph(61, 83)))
    assert {name: rows.shape for name, rows in found.items()} == {
        "indices": (1, 3),
        "scores": (1, 3),
    }
    assert "heads" not in served.signatures
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FileExistsError, match="must be new"):
        to_saved_model(randomize(small()), tmp_path, version=7)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"version": 0}, "version=0"),
        ({"top": 0}, "top=0"),
        ({"labels": ["one"]}, "1 labels"),
        ({"images": np.zeros((1, 8, 8, 3))}, r"shape=\(1, 8, 8, 3\)"),
    ],
)
def test_invalid_arguments_are_refused(options, named, tmp_path):
    with pytest.raises(ValueError, match=named):
        to_saved_model(small(), tmp_path / "model", **options)
    assert not (tmp_path / "model").exists()


def test_an_export_that_differs_leaves_no_file(tmp_path, monkeypatch):
    """Here by a bias that is added on the way."""

    def fold_wrongly(model):
        folded = fold(model)
        bias = [weight for weight in folded.weights if weight.name == "bias"][-1]
        bias.assign(bias + np.arange(bias.shape[0]))
        return folded

    monkeypatch.setattr("keras_cait.export.pipeline.preparation.fold", fold_wrongly)
    with pytest.raises(ValueError, match="must equal the Keras model"):
        to_saved_model(randomize(small()), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_version_is_refused_before_the_model_is_prepared(
    tmp_path, monkeypatch
):
    def work(*args, **kwargs):
        raise AssertionError("the model was prepared")

    monkeypatch.setattr(sys.modules[to_saved_model.__module__], "prepare", work)
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("")
    with pytest.raises(FileExistsError, match="must be new"):
        to_saved_model(small(), tmp_path)


@pytest.mark.slow
def test_comparison_photographs_are_larger_than_the_model(tmp_path, monkeypatch):
    """So that resizing inside is compared where nothing is cropped, too."""

    class EnoughError(Exception): ...

    def check(loaded, prepared, pixels, file):
        assert pixels.shape == (16, 375, 500, 3)
        assert file.startswith(b"\xff\xd8")  # a JPEG
        raise EnoughError

    module = sys.modules[to_saved_model.__module__]
    monkeypatch.setattr(module, "check_signatures", check)
    with pytest.raises(EnoughError):
        to_saved_model(small(), tmp_path)


def test_a_target_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        to_saved_model(randomize(small()), tmp_path / "file")


def test_a_palette_png_gives_the_scores_of_its_colors(served):
    """A picture of few colors says the same as the one it was made of."""
    few = Image.fromarray(photograph(61, 83)).quantize(16)
    kinds = [
        encoded(few, "PNG"),
        encoded(few.convert("RGB"), "PNG"),
    ]
    scores = served.top_classes(*kinds)["scores"]
    np.testing.assert_allclose(scores, scores[[0, 0]], rtol=1e-5)
