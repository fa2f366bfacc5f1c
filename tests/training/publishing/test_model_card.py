"""Model card of a run: its metadata, its facts and its lines of code."""

import dataclasses
import re
import shutil

import keras
import numpy as np
import pytest
from huggingface_hub import ModelCard

from keras_cait.data.image_dataset import ImageDataset
from keras_cait.data.labeled_images import images_in_memory
from keras_cait.training.publishing.model_card import model_card
from keras_cait.training.settings.finetuning_settings import FinetuningSettings
from keras_cait.training.settings.supervised_settings import SupervisedSettings
from tests.support.data.pictures import results_of

RESULTS = {
    "accuracy": 0.75,
    "model_ema_accuracy": 0.5,
    "model": "cait",
    "parameters": 11956264,
    "image_shape": (224, 160, 3),
    "seconds": 3725.4,
}


def images(number):
    return images_in_memory(np.zeros((number, 8, 8, 3), "uint8"), [0] * number)


def data_of(names, name="birds"):
    return ImageDataset(
        name=name,
        class_names=tuple(names),
        image_shape=(8, 8, 3),
        train=images(3),
        test=images(4),
    )


@pytest.fixture
def settings(tmp_path):
    """Settings of a run whose folder has a model."""
    (tmp_path / "model.keras").touch()
    return SupervisedSettings(output=tmp_path, data_dir=tmp_path / "birds")


def test_the_hub_s_client_reads_the_metadata(run):
    results = results_of(run.stdout)
    card = ModelCard.load(run.folder / "build/distill/README.md")
    metadata = card.data.to_dict()
    assert metadata["library_name"] == "keras"
    assert metadata["pipeline_tag"] == "image-classification"
    assert metadata["tags"] == ["keras-cait", "vision-transformer", "distillation"]
    (result,) = card.data.eval_results
    assert (result.task_type, result.dataset_name) == ("image-classification", "digits")
    assert (result.metric_type, result.metric_value) == (
        "accuracy",
        round(results["student_accuracy"], 4),
    )


def test_a_run_s_card_has_its_facts(run):
    results = results_of(run.stdout)
    text = (run.folder / "build/distill/README.md").read_text()
    model = keras.saving.load_model(run.folder / "build/distill/student.keras")
    for fact in (
        "# deit trained on digits",
        f"gray images of 8 x 8 pixels, with 10 classes and {model.count_params():,} "
        "parameters",
        "| top-1 accuracy | |",
        f"| {100 * results['student_accuracy']:.2f} % | **this model** |",
        f"| {100 * results['class_head_accuracy']:.2f} % | its class head alone |",
        f"| {100 * results['teacher_accuracy']:.2f} % | the teacher |",
        "Source: the handwritten digits of scikit-learn. Trained on 200 images, "
        "measured on 200: its test images. At most 200 of each were taken.",
        "10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9.",
        "--limit 200 --output build/distill --student embed_dim=64,depth=1,",
        "The run took {} min {} s on ".format(*divmod(round(results["seconds"]), 60)),
        f"Keras {keras.__version__} on tensorflow ",
        "keras-cait distill deit --epochs 2 ",
        "| distillation | `soft` |",
        "| distillation weight | `0.9` |",
        "| epochs | `2` |",
        "![Test accuracy and training loss by epoch](curves.png)",
    ):
        assert fact in text, fact


def test_the_lines_of_a_card_load_the_model_and_classify_a_photo(
    run, tmp_path, monkeypatch, capsys
):
    folder = run.folder / "build/distill"
    shutil.copy(folder / "student.keras", tmp_path)
    keras.utils.save_img(tmp_path / "photo.jpg", np.zeros((30, 40, 3)))
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(
        r"```python\n(.*?)```", (folder / "README.md").read_text(), re.S
    )
    exec(code, {})
    rows = capsys.readouterr().out.splitlines()[-1]
    assert rows.count("('") == 5


def test_numbers_of_a_long_run_are_readable(settings):
    text = model_card(settings, data_of(["wren", "tit"]), RESULTS, "keras-cait train")
    assert "224 x 160 pixels, with 2 classes and 11,956,264 parameters" in text
    assert "target_size=(224, 160))" in text
    assert "| 50.00 % | `model_ema.keras`, which has averaged weights |" in text
    assert "One image is 25.00 %, the standard error of the first row 21.7 %." in text
    assert "The run took 62 min 5 s" in text
    assert "    keras-cait train\n" in text
    assert "distillation" not in text.split("---")[1]


def test_a_resumed_run_states_the_time_of_its_last_process(settings):
    resumed = dataclasses.replace(settings, resume=True)
    text = model_card(resumed, data_of(["wren", "tit"]), RESULTS, "")
    assert "The last process of the run took 62 min 5 s" in text


def test_the_split_and_the_limit_are_stated(settings):
    split = dataclasses.replace(
        settings, validation_split=0.25, split_seed=2, limit=1000, smoke=True
    )
    text = model_card(split, data_of(["wren", "tit"]), RESULTS, "")
    assert "measured on 4: 25 % of each class, drawn with seed 2. At most 1,000" in text
    assert "`--smoke`): the model is of no use" in text


def test_names_of_folders_cannot_break_the_card(settings, tmp_path):
    names = ["a|b", "<script>", "*x*", "two\nlines", *(f"n{i}" for i in range(40))]
    text = model_card(settings, data_of(names, "a: b # [c](d)"), RESULTS, "")
    (tmp_path / "README.md").write_text(text)
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.eval_results[0].dataset_name == "a: b # [c](d)"
    assert r"44 classes: a\|b, \<script\>, \*x\*, two lines, n0," in text
    assert "n25, ... (`keras_cait.class_names_of(model)` has all)." in text
    assert "n26" not in text
    assert r"# cait trained on a: b \# \[c\](d)" in text


def test_folders_of_this_machine_are_not_published(tmp_path):
    (tmp_path / "finetuned.keras").touch()
    settings = FinetuningSettings(
        output=tmp_path, weights="hf://timm/deit@v1", model="DeiT_Ti",
        teacher="/home/me/teacher.keras", data_dir=tmp_path / "birds",
    )  # fmt: skip
    results = {**RESULTS, "finetuned_accuracy": 0.9}
    text = model_card(settings, data_of(["wren", "tit"]), results, "")
    assert "/home/me" not in text
    assert str(tmp_path) not in text
    assert "| teacher | `teacher.keras` |" in text
    assert "| alpha | `0.5` |" in text
    assert "base_model: timm/deit\n" in text
    assert "value: 0.9\n" in text
