"""An unknown layer in a `.keras` file ends each program with one line."""

import keras
import pytest

from recipes import distill_deit, evaluate, finetune
from tests.support.data.pictures import write_pictures


class Own(keras.layers.Layer):
    def call(self, inputs):
        return inputs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures, and a model with a layer of its own."""
    folder = tmp_path_factory.mktemp("own")
    for part in ("train", "test"):
        write_pictures(folder / "pictures" / part)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Flatten()(Own()(inputs))
    keras.Model(inputs, keras.layers.Dense(2)(x)).save(folder / "own.keras")
    return folder


@pytest.mark.parametrize(
    ("main", "flags"),
    [
        (evaluate.main, ["--weights"]),
        (finetune.main, ["--output", "out", "--weights"]),
        (distill_deit.main, ["--output", "out", "--image-size", "32", "--teacher"]),
    ],
    ids=["evaluate", "finetune", "distill"],
)
def test_an_unknown_layer_class_is_named_in_one_line(
    main, flags, folder, capsys, monkeypatch
):
    monkeypatch.chdir(folder)
    assert main(["--data-dir", "pictures", *flags, "own.keras"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: The ")
    assert error.count("\n") == 1
    assert "own.keras cannot be loaded: " in error
    assert "the class 'Own'" in error
    assert "register_keras_serializable" in error
    assert not (folder / "out").exists()
