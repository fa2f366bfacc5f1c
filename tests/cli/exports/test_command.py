"""`keras-cait export` exports, prints a report and JSON, and reports errors."""

import json
import sys

import keras
import numpy as np
import onnxruntime
import pytest
from PIL import Image

from keras_cait_command import main
from tests.support.export.samples import plausible
from tests.support.models.tiny_models import tiny_deit

LABELS = [f"class {index}" for index in range(10)]


def tiny_model(folder):
    model = tiny_deit(depth=1, patch_size=16, include_preprocessing=True)
    path = folder / "tiny.keras"
    plausible(model).save(path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, labels and photographs, as a person has them."""
    folder = tmp_path_factory.mktemp("files")
    tiny_model(folder)
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 50, 3), "uint8")
    for index, image in enumerate(pixels):
        path = folder / "photos" / f"of {index % 2}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


@pytest.fixture(autouse=True)
def there(files, monkeypatch):
    monkeypatch.chdir(files)


def run(capsys, *arguments, model="tiny.keras"):
    """The exit code, what was printed, and the error, without what is loaded."""
    code = main(["export", model, *map(str, arguments)])
    captured = capsys.readouterr()
    lines = captured.err.splitlines(keepends=True)
    errors = [line for line in lines if not line.startswith("loading ")]
    return code, captured.out, "".join(errors)


@pytest.mark.parametrize(
    ("format", "name", "flags", "beside"),
    [
        ("onnx", "a.onnx", ["--opset", "17"], "a.onnx.json"),
        pytest.param(
            *("tflite", "a.tflite", ["--precision", "float16"], "a.tflite.json"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *("saved_model", "served", ["--top", "3", "--version", "2"]),
            "served/2.json",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_each_format_is_exported_with_its_report(
    format, name, flags, beside, tmp_path, capsys
):
    output = ["--format", format, "--output", tmp_path / name]
    compared = ["--labels", "labels.txt", "--images", "photos"]
    code, out, err = run(capsys, *output, *compared, *flags)
    assert (code, err) == (0, "")
    *words, last = out.splitlines()
    report = json.loads(last)
    assert report == json.loads((tmp_path / beside).read_text())
    assert report["format"] == format
    assert report["labels"] == LABELS
    assert report["images"] == 24
    assert report["weights"] == "tiny.keras"
    assert report["relative_difference"] < 1e-2
    assert words[0].startswith("exported")
    assert str(report["path"]) in words[0]
    assert f"{report['size_bytes'] / 1e6:.1f} MB" in out


@pytest.mark.slow
def test_int8_from_representative_images(tmp_path, capsys):
    output = ["--format", "tflite", "--output", tmp_path / "a.tflite"]
    flags = ["--precision", "int8", "--representative", "photos"]
    code, out, err = run(capsys, *output, *flags)
    assert (code, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["precision"].startswith("int8")


@pytest.mark.slow  # test_to_tflite.py has both cases
def test_an_export_that_differs_is_kept_only_with_keep_anyway(tmp_path, capsys):
    output = ["--format", "tflite", "--output", tmp_path / "a.tflite"]
    flags = ["--precision", "dynamic", "--images", "photos", "--tolerance", "1e-9"]
    code, _, err = run(capsys, *output, *flags)
    assert code != 0
    assert "to 1e-09 of the largest value" in err
    assert "--keep-anyway keeps it" in err
    assert not (tmp_path / "a.tflite").exists()
    code, out, _ = run(capsys, *output, *flags, "--keep-anyway")
    report = json.loads(out.splitlines()[-1])
    assert (code, report["passed"]) == (0, False)
    assert "to 1e-09" in report["details"]["did not pass"]


@pytest.mark.slow  # twelve blocks; what names mean is tested beside
def test_a_model_is_built_by_its_name(tmp_path, capsys):
    path = tmp_path / "a.onnx"
    flags = ["--weights", "none", "--classes", "3", "--image-size", "32"]
    output = ["--format", "onnx", "--output", path]
    code, out, err = run(capsys, *output, *flags, model="deit_tiny_patch16_224")
    assert (code, err) == (0, "")
    report = json.loads(out.splitlines()[-1])
    assert report["weights"] == "random"
    assert report["image_size"] == [32, 32]
    assert "[0, 255]" in report["input"]
    (images,) = onnxruntime.InferenceSession(path).get_inputs()
    assert images.shape == ["batch", 32, 32, 3]


def test_an_existing_target_is_refused_before_the_model_is_loaded(tmp_path, capsys):
    (tmp_path / "served" / "2").mkdir(parents=True)
    (tmp_path / "served" / "2" / "saved_model.pb").write_text("precious")
    (tmp_path / "a.onnx").write_text("precious")
    for flags in (
        ["--format", "onnx", "--output", tmp_path / "a.onnx"],
        ["--format", "saved_model", "--output", tmp_path / "served", "--version", "2"],
    ):
        code, out, err = run(capsys, *flags, model="nowhere.keras")
        assert (code, out) == (2, "")
        assert err.startswith("error: The target must be new")


def test_outputs_are_named_by_a_flag(tmp_path, capsys):
    output = ["--format", "onnx", "--output", tmp_path / "a.onnx"]
    flags = ["--outputs", "class_attention", "features", "--images", "photos"]
    code, out, err = run(capsys, *output, *flags)
    assert (code, err) == (0, "")
    report = json.loads(out.splitlines()[-1])
    assert list(report["outputs"]) == ["class_attention", "features"]
    assert report["outputs"]["class_attention"]["shape"] == [4, 2, 2]
    assert report["top1_agreement"] is None
    outputs = onnxruntime.InferenceSession(tmp_path / "a.onnx").get_outputs()
    assert [each.name for each in outputs] == ["class_attention", "features"]


def test_a_file_is_replaced_only_with_overwrite(tmp_path, capsys):
    path = tmp_path / "a.onnx"
    path.write_text("precious")
    output = ["--format", "onnx", "--output", path]
    code, out, err = run(capsys, *output)
    assert (code, out) == (2, "")
    assert err.startswith("error: The target must be new.")
    assert err.endswith("Name another one, or overwrite it (--overwrite).\n")
    assert path.read_text() == "precious"
    assert run(capsys, *output, "--overwrite")[0] == 0
    assert path.read_bytes() != b"precious"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            "--format onnx --precision int8",
            "onnx accepts --weights, --classes, --labels",
        ),
        (
            "--format saved_model --precision float16",
            "--version. Received: --precision",
        ),
        ("--format onnx --top 3", "--overwrite, --opset. Received: --top"),
        ("--format tflite --opset 17", "--keep-anyway. Received: --opset"),
        ("--format saved_model --overwrite", "--top, --version. Received: --overwrite"),
        ("--format tflite --precision int8", "int8 needs --representative DIR"),
        ("--format tflite --representative photos", "is for --precision int8"),
        ("--format tflite --precision int4", 'Invalid value "int4"'),
        ("--format onnx --outputs embedding", 'Invalid value "embedding" for'),
        ("--format onnx --outputs logits logits", "--outputs must be a list of one or"),
        ("--format onnx --outputs heads", "--outputs may name heads of a distilled"),
        ("--format web --outputs logits", "--runtime. Received: --outputs"),
        ("--format web --overwrite", "--runtime. Received: --overwrite"),
        ("--format onnx --runtime photos", "--opset. Received: --runtime"),
        ("--format web --runtime photos", "--runtime must be a copy of the npm"),
        ("--format coreml", 'Invalid value "coreml"'),
        ("--format onnx --opset new", 'unable to convert "new" into int'),
        ("--format onnx --opset 99", "--opset must be 13 to 18. Received: --opset 99"),
        ("--format saved_model --top 0", "--version and --top must be 1 or more"),
        ("--format onnx --weight none", "Did you mean --weights?"),
        ("--format onnx --classes 3", "A .keras file has weights, classes"),
        ("--format onnx --labels nowhere.txt", "nowhere.txt"),
        ("--format onnx --labels photos", "photos"),
        ("--format onnx --labels tiny.keras", "--labels must be a text file"),
        ("--format onnx --labels two.txt", "--labels must name the 10 classes of the"),
        ("--format onnx --images nowhere", "nowhere, which is no folder"),
        ("--format onnx --images empty", "empty, without any"),
        ("--format onnx --images broken", "broken/a.png, which cannot be decoded"),
        ("--format onnx --output labels.txt/a.onnx", "labels.txt"),
        ("--format onnx --output photos", "must end in .onnx"),
    ],
)
def test_invalid_flags_are_one_line_of_error(flags, message, files, tmp_path, capsys):
    (files / "two.txt").write_text("one\ntwo\n")
    (files / "empty").mkdir(exist_ok=True)
    (files / "broken").mkdir(exist_ok=True)
    (files / "broken" / "a.png").write_bytes(b"no image")
    output = [] if "--output " in flags else ["--output", tmp_path / "a.onnx"]
    code, out, err = run(capsys, *output, *flags.split())
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("CaiT_XXS25", "Did you mean CaiT_XXS"),
        ("nowhere.keras", "No model at nowhere.keras"),
        ("labels.keras", "complete .keras file. Received: labels.keras"),
        ("other.keras", "Received: 'other'"),
    ],
)
def test_invalid_models_are_one_line_of_error(model, message, files, tmp_path, capsys):
    (files / "labels.keras").write_text("no model")
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(inputs))
    keras.Model(inputs, x, name="other").save(files / "other.keras")
    output = ["--format", "onnx", "--output", tmp_path / "a.onnx"]
    code, out, err = run(capsys, *output, model=model)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_the_error_of_weights_that_do_not_fit_is_short(files, tmp_path, capsys):
    output = ["--format", "onnx", "--output", tmp_path / "a.onnx"]
    flags = ["--weights", "tiny.keras", "--classes", "3"]
    code, _, err = run(capsys, *output, *flags, model="DeiT_Ti")
    assert code == 2
    assert err.startswith("error: The weights do not fit the model 'deit_ti")
    assert len(err) < 1100
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("format", "name", "package"),
    [
        ("onnx", "a.onnx", "tf2onnx"),
        ("tflite", "a.tflite", "ai_edge_litert"),
        ("saved_model", "served", "tensorflow_serving"),
    ],
)
def test_a_missing_package_is_one_line_of_error(
    format, name, package, tmp_path, capsys, monkeypatch
):
    for imported in [each for each in sys.modules if each.startswith(package)]:
        monkeypatch.delitem(sys.modules, imported)
    monkeypatch.setitem(sys.modules, package, None)
    code, out, err = run(capsys, "--format", format, "--output", tmp_path / name)
    assert (code, out) == (2, "")
    assert package in err
    assert "pip install 'keras-cait[export]'" in err
    assert list(tmp_path.iterdir()) == []
