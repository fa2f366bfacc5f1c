"""The main recipe: its output, its files, and errors of its flags."""

import csv
import json

import keras
import numpy as np
import pytest
from PIL import Image

from keras_cait.data.batches import evaluation_batches
from keras_cait.data.images.evaluation_transform import EvaluationTransform
from keras_cait.data.sources.load import load_dataset
from keras_cait.training.programs.students import build_student
from keras_cait.training.recipes.distill_deit import PRESETS
from recipes.distill_deit import main
from tests.support.data.pictures import results_of, without_compiling

TINY = ["--epochs", "1", "--teacher-epochs", "1", "--batch-size", "8"]
FILES = ("config.json", "curves.png", "history.csv", "student.keras", "teacher.keras")
TINY_STUDENT = ["--student", "embed_dim=8,depth=1,num_heads=2,patch_size=4"]


def test_the_last_line_of_the_output_is_json(run):
    results = results_of(run.stdout)
    for name in (
        "teacher_accuracy",
        "undistilled_accuracy",
        "student_accuracy",
        "class_head_accuracy",
        "distillation_head_accuracy",
        "teacher_agreement",
    ):
        assert 0 <= results[name] <= 1, name
    assert results["teacher_accuracy"] > 0.3
    assert results["images_per_second"] > 0
    assert 100 < results["peak_memory_mb"] < 3000
    assert 0 < results["seconds"] < 300


def test_progress_shows_the_time_left_after_a_few_lines_of_tensorflow(run):
    for name in ("teacher", "undistilled", "student"):
        # Not on a terminal: no bar, but a line at the start and for each epoch.
        first, *epochs = (x for x in run.stderr.splitlines() if x.startswith(name))
        assert first.startswith(f"{name}:   0%")
        assert all(f"epoch={n}/" in line for n, line in enumerate(epochs, 1))
        assert " 100%" in epochs[-1]
    assert "\r" not in run.stderr
    assert "images/s=" in run.stderr
    assert "<00:0" in run.stderr
    start, _, rest = run.stderr.partition("teacher:   0%")
    assert len(start.splitlines()) < 10  # logged before TensorFlow reads any setting
    for noise in ("oneDNN", "cuda", "absl::InitializeLog", "Warning"):
        assert noise not in rest


def test_a_run_writes_models_log_curves_and_settings(run):
    folder = run.folder / "build" / "distill"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [".lock", "README.md", "checkpoints", *FILES, "tensorboard"]
    # Of each training what --resume needs: its model.
    kept = sorted(path.parent.name for path in folder.glob("checkpoints/*/*"))
    assert kept == ["01-teacher", "02-undistilled", "03-student"]
    settings = json.loads((folder / "config.json").read_text())
    assert settings["epochs"] == 2
    assert settings["dataset"] == "digits"
    assert settings["student"].startswith("embed_dim=")
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [(row["model"], int(row["epoch"])) for row in rows]
    assert epochs[:15] == [("teacher", epoch + 1) for epoch in range(15)]
    assert epochs[15:] == [
        *[("undistilled", 1), ("undistilled", 2), ("student", 1), ("student", 2)]
    ]
    assert float(rows[-1]["distillation_loss"]) > 0
    with Image.open(folder / "curves.png") as picture:
        assert picture.size[0] > 600
    for name in ("teacher", "undistilled", "student"):
        for part in ("train", "validation"):
            events = folder / "tensorboard" / name / part
            assert next(events.glob("events.out.tfevents.*")).stat().st_size > 100


def test_the_saved_models_score_as_reported(run):
    results = results_of(run.stdout)
    folder = run.folder / "build" / "distill"
    view = EvaluationTransform(image_size=(8, 8), crop_pct=1.0)
    batches = list(evaluation_batches(load_dataset("digits", limit=200).test, view, 50))
    for name in ("student", "teacher"):
        model = keras.models.load_model(folder / f"{name}.keras")
        right = [
            model.predict_on_batch(images).argmax(1) == labels.numpy()
            for images, labels in batches
        ]
        assert np.mean(right) == pytest.approx(results[f"{name}_accuracy"]), name


def test_the_student_of_the_preset_takes_digits():
    """`run` asks for a smaller one."""
    student = build_student(
        PRESETS["digits"]["student"], "deit", input_shape=(8, 8, 1), classes=10
    )
    images = np.zeros((2, 8, 8, 1), "float32")
    assert student(images).shape == (2, 10)


def test_a_second_run_into_the_folder_is_refused(run, capsys):
    folder = run.folder / "build" / "distill"
    before = {path: (folder / path).read_bytes() for path in FILES}
    assert main([*TINY, "--output", str(folder)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert {path: (folder / path).read_bytes() for path in FILES} == before


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for part, number in (("train", 16), ("test", 5)):
        for name, color in (("day", 200), ("night", 30)):
            folder = tmp_path / "pictures" / part / name
            folder.mkdir(parents=True)
            for index in range(number):
                pixels = rng.normal(color, 20, (16, 16, 3)).clip(0, 255)
                image = Image.fromarray(pixels.astype("uint8"))
                image.save(folder / f"{index}.png")
    return tmp_path / "pictures"


@pytest.mark.parametrize(
    "options",
    [
        ["--distillation", "soft", "--temperature", "2", "--no-baseline"],
        pytest.param(
            ["--strategy", "mirrored:2", "--no-baseline"], marks=pytest.mark.slow
        ),
        pytest.param(
            ["--mixed-precision", "float16", "--jit", "--alpha", "0.3"],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["--distillation", "none", "--image-size", "12", "--seed", "3"],
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_folder_of_images_is_trained_with_each_flag(
    options, pictures, tmp_path, capsys
):
    output = tmp_path / "out"
    where = ["--data-dir", str(pictures), "--output", str(output)]
    assert main([*TINY, *TINY_STUDENT, *where, *options]) == 0
    results = results_of(capsys.readouterr().out)
    assert results["dataset"] == "pictures"
    assert ("student_accuracy" in results) == ("none" not in options)
    assert (output / "student.keras").exists()


@pytest.mark.slow
def test_a_saved_teacher_is_not_trained_again(run, tmp_path, capsys):
    """At another resolution, too: the teacher knows 8 pixels, the student 16."""
    teacher = run.folder / "build" / "distill" / "teacher.keras"
    where = ["--teacher", str(teacher), "--output", str(tmp_path)]
    size = ["--image-size", "16", "--limit", "40"]
    with without_compiling():
        assert main([*TINY, *TINY_STUDENT, *where, *size]) == 0
    captured = capsys.readouterr()
    assert "teacher:" not in captured.err
    assert results_of(captured.out)["teacher_accuracy"] > 0.2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--student", "DeiT_Tiny"], "Did you mean DeiT_Ti?"),
        (["--student", "DeiT_Ti"], "`patch_size` must divide `input_shape`"),
        (["--teacher", "ResNet5"], "Did you mean ResNet50?"),
        (["--teacher", "nowhere.keras"], "No teacher at nowhere.keras"),
        (["--dataset", "cifra10"], "Did you mean cifar10?"),
        (["--data-dir", "nowhere"], "no folder of that name"),
        (["--strategy", "mirror"], "Received: --strategy 'mirror'"),
        (["--alpha", "1.5"], "--alpha must be in [0, 1]. Received: 1.5"),
        (["--temperature", "0"], "--temperature must be above 0. Received: 0.0"),
        (["--epochs", "0"], "--epochs must be 1 or more. Received: 0"),
        (["--preset", "imagnet"], "--preset must be one of imagenet, photographs"),
    ],
)
def test_wrong_flags_give_one_line_and_no_folder(options, said, tmp_path, capsys):
    output = tmp_path / "out"
    assert main([*TINY, "--limit", "20", "--output", str(output), *options]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.startswith("error: ")
    assert not output.exists()


def test_a_teacher_of_other_classes_is_refused(run, pictures, tmp_path, capsys):
    teacher = run.folder / "build" / "distill" / "teacher.keras"
    where = ["--data-dir", str(pictures), "--output", str(tmp_path / "out")]
    assert main([*TINY, *TINY_STUDENT, *where, "--teacher", str(teacher)]) == 2
    assert "2 classes of the data" in capsys.readouterr().err
