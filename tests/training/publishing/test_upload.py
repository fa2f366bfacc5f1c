"""`keras-cait push` to a local server with the hub's protocol, by the hub's client."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.models.tiny_models import randomize, tiny_cait
from tests.support.source_tree import ROOT
from tests.support.weights.hub_server import serving
from tests.support.weights.hub_uploads import TOKEN, UploadHub

CARD = """---
library_name: keras
pipeline_tag: image-classification
tags:
- keras-cait
model-index:
- name: cait on birds
  results:
  - task: {type: image-classification}
    dataset: {type: birds, name: birds}
    metrics: [{type: accuracy, value: 0.75}]
---
    model = keras.saving.load_model("student.keras")
"""
# Pushes as on a command line; then loads one repository as a user of Keras does.
PUSHES = """
import contextlib, io, json, os, sys
import numpy as np
from keras_cait_command import main

results = []
for token, *arguments in json.loads(sys.argv[1]):
    os.environ["HF_TOKEN"] = token
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["push", *arguments])
    results.append([code, out.getvalue(), err.getvalue()])
os.environ["HF_TOKEN"] = json.loads(sys.argv[1])[0][0]
import keras, keras_cait
images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3))
here, there = (
    keras.saving.load_model(source).predict(images, verbose=0)
    for source in (sys.argv[2], "hf://owner/birds")
)
assert np.array_equal(here, there)
print(json.dumps(results))
"""
REQUESTS = {
    "new": (TOKEN, "hf://owner/birds"),
    "exists": (TOKEN, "hf://owner/birds"),
    "again": (TOKEN, "hf://owner/birds", "--overwrite"),
    "private": (TOKEN, "hf://owner/mine", "--private"),
    "public": (TOKEN, "hf://owner/birds", "--private", "--overwrite"),
    "cut-once": (TOKEN, "hf://owner/cut-once"),
    "cut": (TOKEN, "hf://owner/cut", "--overwrite"),
    "full": (TOKEN, "hf://owner/full"),
    "other": (TOKEN, "hf://somebody/birds"),
    "bad token": ("hf_wrong", "hf://owner/new"),
    "no token": ("", "hf://owner/new"),
    "revision": (TOKEN, "hf://owner/new@v2"),
    "path": (TOKEN, "owner/new"),
}


@pytest.fixture(scope="module")
def pushed(tmp_path_factory):
    """The hub after all requests, and code, output and errors of each."""
    run = tmp_path_factory.mktemp("run")
    names = [f"bird {index}" for index in range(10)]
    options = {"class_names": names, "include_preprocessing": True}
    model = tiny_cait(**options, name="cait")
    randomize(model).save(run / "student.keras")
    (run / "README.md").write_text(CARD)
    (run / "history.csv").write_text("model,epoch\n")
    (run / "teacher.keras").write_bytes(b"not published")
    with serving(UploadHub({"owner/cut": {"old.txt": b"old"}})) as hub:
        requests = [[token, str(run), *rest] for token, *rest in REQUESTS.values()]
        done = subprocess.run(
            [sys.executable, "-c", PUSHES, json.dumps(requests), run / "student.keras"],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "KERAS_BACKEND": "jax",  # starts sooner
                "XLA_FLAGS": "--xla_backend_optimization_level=0",
                "HF_HOME": str(tmp_path_factory.mktemp("home")),
                "HF_ENDPOINT": hub.url,
                "HF_HUB_DISABLE_XET": "1",
                "HF_HUB_DISABLE_TELEMETRY": "1",
            },
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    return hub, dict(zip(REQUESTS, results, strict=True))


def test_a_repository_has_the_model_and_the_card_of_the_run(pushed):
    hub, results = pushed
    code, out, error = results["new"]
    assert code == 0
    (line,) = error.splitlines()  # a log gets no bars
    assert line.startswith("loading ")
    assert out.endswith(f"student.keras: uploaded to {hub.url}/owner/birds\n")
    files = hub.repositories["owner/birds"]
    assert sorted(files) == [
        *(".gitattributes", "README.md", "config.json", "history.csv"),
        *("metadata.json", "model.weights.h5"),
    ]
    assert b'load_model("hf://owner/birds")' in files["README.md"]
    assert b"student.keras" not in files["README.md"]
    assert "owner/birds" not in hub.private


def test_a_repository_is_filled_by_one_commit(pushed):
    hub, _ = pushed
    commits = [line for line in hub.commits if line.startswith("owner/birds")]
    assert (
        commits == ["owner/birds: Add cait, trained with keras_cait"] * 2
    )  # and again


def test_files_on_the_hub_are_replaced_on_request_alone(pushed):
    _, results = pushed
    code, _, error = results["exists"]
    assert code == 2
    assert "must be new or empty. Received: hf://owner/birds with 5 files" in error
    assert "--overwrite" in error
    assert results["again"][0] == 0


def test_a_private_run_is_not_uploaded_to_a_public_repository(pushed):
    hub, results = pushed
    assert results["private"][0] == 0
    assert hub.private == {"owner/mine"}
    code, _, error = results["public"]
    assert code == 2
    assert "Expected a private repository. Received: hf://owner/birds" in error


def test_a_lost_connection_is_tried_again(pushed):
    hub, results = pushed
    assert results["cut-once"][0] == 0
    assert hub.cuts == ["owner/cut-once"]
    assert "model.weights.h5" in hub.repositories["owner/cut-once"]


def test_an_interrupted_upload_leaves_the_repository_as_it_was(pushed):
    hub, results = pushed
    code, out, error = results["cut"]
    assert (code, out) == (2, "")
    assert "Could not upload to hf://owner/cut: " in error
    assert hub.repositories["owner/cut"] == {"old.txt": b"old"}
    assert results["full"][0] == 2
    assert "hf://owner/full" in results["full"][2]
    assert list(hub.repositories["owner/full"]) == [".gitattributes"]


@pytest.mark.parametrize(
    ("request_name", "message"),
    [
        ("other", "You don't have the rights to create a model under somebody/birds"),
        ("bad token", "The hub refuses the token for hf://owner/new"),
        ("no token", "Expected a token of the Hugging Face hub that may write."),
        ("revision", "Expected hf://owner/name without @. Received: hf://owner/new@v2"),
        ("path", "Expected hf://owner/repository"),
    ],
)
def test_mistakes_end_with_one_line_and_code_2(pushed, request_name, message):
    hub, results = pushed
    code, out, error = results[request_name]
    assert (code, out) == (2, "")
    *loading, line = error.splitlines()
    assert all(text.startswith("loading ") for text in loading)
    assert line.startswith("error: ")
    assert message in line
    assert hub.repositories.keys().isdisjoint({"owner/new", "somebody/birds"})
