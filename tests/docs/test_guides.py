"""Guides: all of their commands and Python run, from the top of a page to its end."""

import shutil
import tomllib

import keras
import pytest

import keras_cait
from tests.support.data.pictures import without_compiling, write_pictures
from tests.support.documentation import PAGES, blocks_in, command_lines, program
from tests.support.models.tiny_models import tiny_cait
from tests.support.source_tree import ROOT

# Their programs have tests of their own.
SLOW = ("distill-your-convnet", "export-and-deploy", "fine-tune", "start")
GUIDES = (
    *SLOW,
    "attention",
    "faq",
    "from-timm",
    "how-distillation-works",
    "layers",
    "parity",
)
RUN_ELSEWHERE = {"README.md", "docs/models.md"}  # by tests/test_docs.py
CLASSES = ("cat", "dog")

# What a reader has time for and a test has not: flags that stand behind those of the
# page. A published name takes random weights in place of a download.
FEWER = {
    "keras-cait distill": "--epochs 1 --batch-size 8 --warmup-epochs 0 "
    "--student embed_dim=8,depth=1,num_heads=2,patch_size=16",
    "keras-cait finetune": "--epochs 1 --batch-size 8 --warmup-epochs 0 --limit 8",
}
UNTRAINED = "--weights none --image-size 32"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What the guides assume: photographs, a student and its teacher, a checkpoint."""
    folder = tmp_path_factory.mktemp("guides")
    write_pictures(folder / "photos", CLASSES, size=(48, 64), number=20)
    pixels = keras.utils.load_img(folder / "photos" / "cat" / "0.png")
    keras.utils.save_img(folder / "photo.jpg", keras.utils.img_to_array(pixels))
    model = tiny_cait(
        classes=2, class_names=CLASSES, include_preprocessing=True, distilled=True
    )
    for name in (
        "run/student.keras",
        "run/teacher.keras",
        "build/distill/student.keras",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        model.save(folder / name)
    source = keras_cait.DeiT_Ti(weights=None, input_shape=(32, 32, 3))
    keras_cait.save_timm_weights(source, folder / "deit_tiny.safetensors")
    return folder


def run(words):
    """Runs `keras-cait` in this process; checks that other commands exist."""
    name, *arguments = words
    if name == "make":
        makefile = (ROOT / "Makefile").read_text()
        assert f"\n{arguments[0]}: " in makefile
    elif name == "pip":
        assert arguments == ["install", ".[export]"]
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert "export" in project["optional-dependencies"]
    elif name != "export":  # a variable of the shell
        flags = FEWER.get(f"{name} {arguments[0]}", "").split()
        if {"--model", "cait_xxs24_224"} <= {*arguments} or "imagenet" in arguments:
            flags += UNTRAINED.split()
        assert program(name)([*arguments, *flags]) == 0, words


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "guide",
    [
        pytest.param(guide, marks=[pytest.mark.slow] if guide in SLOW else [])
        for guide in GUIDES
    ],
)
def test_a_guide_runs_from_top_to_bottom(guide, files, tmp_path, monkeypatch, capsys):
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    if guide == "distill-your-convnet":  # it makes them
        shutil.rmtree(tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    with without_compiling():
        for block in blocks_in(f"docs/{guide}.md"):
            if block.language == "python":
                exec(compile(block.text, f"docs/{guide}.md", "exec"), names)
            elif block.language == "":
                for words in command_lines(block):
                    run(words)


def test_every_page_with_python_is_run():
    with_python = {
        page
        for page in PAGES
        if any(block.language == "python" for block in blocks_in(page))
    }
    assert with_python == {f"docs/{name}.md" for name in GUIDES} | RUN_ELSEWHERE
