"""Downloads from a local server with the hub's protocol, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from tests.support.reference import manifest
from tests.support.weights.hub_server import FAILURES, Hub, serving

ROOT = Path(__file__).parents[3]
DEIT_TI = "timm/deit_tiny_patch16_224.fb_in1k"
TIMM_CONFIG = {
    "architecture": "deit_tiny_patch16_224",
    "num_classes": 2,
    "label_names": ["sparrow", "wren"],
    "pretrained_cfg": {
        "input_size": [3, 224, 224],
        "interpolation": "bilinear",
        "crop_pct": 0.875,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
    },
}
SMALL = save({"x": np.arange(100_000, dtype="float32")})


def checkpoint(classes):
    """A file of DeiT-Ti with values of its own."""
    generator = np.random.default_rng(classes)
    shapes = dict(manifest("deit_tiny_patch16_224")["state_dict"])
    shapes["head.weight"][0] = shapes["head.bias"][0] = classes
    return {
        name: generator.standard_normal(shape, dtype="float32")
        for name, shape in shapes.items()
    }


def loaded(*requests, home, endpoint, **settings):
    """Output of tests/support/weights/hub_repositories.py for the requests."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.weights.hub_repositories", *requests],
        cwd=ROOT,
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",  # starts sooner
            "XLA_FLAGS": "--xla_backend_optimization_level=0",
            "HF_HOME": str(home),
            "HF_ENDPOINT": endpoint,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **settings,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def published():
    return {
        DEIT_TI: checkpoint(1000),
        "somebody/birds": checkpoint(7),
        "somebody/stated": checkpoint(2),
    }


@pytest.fixture(scope="module")
def hub(published, tmp_path_factory):
    """Results of all requests while the hub runs."""
    files = {name: save(tensors) for name, tensors in published.items()}
    files["somebody/stated/config.json"] = json.dumps(TIMM_CONFIG).encode()
    misbehaving = ("owner/cut", "owner/cut-once", "owner/wrong-hash", "owner/good")
    files |= dict.fromkeys((*misbehaving, *FAILURES), SMALL)
    home = tmp_path_factory.mktemp("hub")
    sources = [f"hf://{name}" for name in files if name.count("/") == 1]
    sources.remove(f"hf://{DEIT_TI}")
    builds = ["DeiT_Ti 1000", "DeiT_Ti 7 hf://somebody/birds", "DeiT_Ti 3"]
    builds += ["DeiT_Ti 2 hf://somebody/stated", "DeiT_Ti 2 hf://somebody/stated 0.25"]
    with serving(Hub(files)) as server:
        results = loaded(*sources, *builds, home=home, endpoint=server.url)
        requests = list(server.requests)
    return {
        "results": results,
        "requests": requests,
        "home": home,
        "url": server.url,
    }


# The server has stopped: loaded files must come from the cache.
@pytest.fixture(scope="module")
def offline(hub):
    sources = (f"hf://{DEIT_TI}", "hf://owner/new")
    settings = {"home": hub["home"], "endpoint": hub["url"], "HF_HUB_OFFLINE": "1"}
    return loaded(*sources, **settings)


@pytest.fixture(scope="module")
def gone(hub):
    """Results without a server; takes half a minute, since the client tries again."""
    sources = ("hf://owner/good", "hf://owner/new")
    return loaded(*sources, home=hub["home"], endpoint=hub["url"])


def test_imagenet_is_the_published_file(hub, published):
    found = hub["results"]["DeiT_Ti 1000"]
    tensors = published[DEIT_TI]
    expected = tensors["norm.weight"].sum() + tensors["norm.bias"].sum()
    assert found["norm"] == pytest.approx(expected, rel=1e-4)
    assert found["head"] == pytest.approx(tensors["head.weight"].sum(), rel=1e-4)
    assert found["warnings"] == []


def test_a_repository_with_other_classes_loads_with_its_head(hub, published):
    found = hub["results"]["DeiT_Ti 7 hf://somebody/birds"]
    head = published["somebody/birds"]["head.weight"]
    assert found["head"] == pytest.approx(head.sum(), rel=1e-4)
    (warning,) = found["warnings"]  # it has no config.json
    assert warning.startswith("hf://somebody/birds does not state the mean and std")


def test_a_repository_s_config_states_preprocessing_and_class_names(hub):
    found = hub["results"]["DeiT_Ti 2 hf://somebody/stated"]
    assert found["preprocessing"] == {
        "image_size": [224, 224],
        "crop_pct": 0.875,
        "interpolation": "bilinear",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
    }
    assert found["class_names"] == ["sparrow", "wren"]
    assert found["warnings"] == []


def test_arguments_override_the_repository_s_config(hub):
    found = hub["results"]["DeiT_Ti 2 hf://somebody/stated 0.25"]
    assert found["preprocessing"]["mean"] == [0.25, 0.25, 0.25]
    assert found["preprocessing"]["crop_pct"] == 1.0
    assert found["warnings"] == []


def test_published_weights_have_imagenet_s_preprocessing_and_names(hub):
    found = hub["results"]["DeiT_Ti 1000"]
    assert found["preprocessing"]["crop_pct"] == 0.9
    assert found["class_names"] == ["tench", "goldfish"]


def test_other_classes_than_the_published_ones_warn_once(hub, published):
    found = hub["results"]["DeiT_Ti 3"]
    tensors = published[DEIT_TI]
    expected = tensors["norm.weight"].sum() + tensors["norm.bias"].sum()
    assert found["norm"] == pytest.approx(expected, rel=1e-4)
    (warning,) = found["warnings"]
    assert warning.startswith("the model has 3 classes, the file 1000: head.bias, head")


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        ("no-repository", "shows no repository owner/no-repository"),
        ("no-file", "Expected model.safetensors in the repository"),
        ("private", "log in where it is private"),
        ("gated", "log in where it is private"),
        ("bad-token", "401 Unauthorized"),
        ("cut", "Could not get hf://owner/cut from the hub"),
        ("wrong-hash", "must have the SHA-256"),
    ],
)
def test_failed_downloads_name_the_reason_and_leave_no_file(hub, repository, message):
    found = hub["results"][f"hf://owner/{repository}"]
    assert found["error"] == "OSError"
    assert message in found["message"]
    assert f"owner/{repository}" in found["message"]
    folder = hub["home"] / "hub" / f"models--owner--{repository}"
    assert not list(folder.glob("snapshots/*/*"))
    whole = [path for path in folder.glob("blobs/*") if path.suffix != ".incomplete"]
    assert not whole


@pytest.mark.parametrize("repository", ["good", "cut-once"])
def test_downloads_are_complete(hub, repository):
    path = Path(hub["results"][f"hf://owner/{repository}"]["file"])
    assert path.read_bytes() == SMALL


def test_a_checkpoint_is_downloaded_once(hub):
    assert hub["requests"].count(f"GET {DEIT_TI}") == 1


def test_offline_files_come_from_the_cache(offline, published):
    path = Path(offline[f"hf://{DEIT_TI}"]["file"])
    assert path.read_bytes() == save(published[DEIT_TI])


@pytest.mark.slow
def test_without_the_hub_files_come_from_the_cache(gone, hub):
    assert gone["hf://owner/good"] == hub["results"]["hf://owner/good"]


@pytest.mark.parametrize(
    "without", ["offline", pytest.param("gone", marks=pytest.mark.slow)]
)
def test_without_hub_and_cache_the_error_names_both(without, request):
    found = request.getfixturevalue(without)["hf://owner/new"]
    assert found["error"] == "OSError"
    assert "not in the cache, and the hub cannot be reached" in found["message"]
    assert "weights=None" in found["message"]


@pytest.mark.parametrize("source", ["hf://", "hf://owner", "hf://a/b/c", "hf://a b/c"])
def test_addresses_of_another_form_are_refused(source):
    from keras_cait.weights.readers.hub import download

    with pytest.raises(ValueError, match=f"hf://owner/repository.*Received: {source}"):
        download(source)
