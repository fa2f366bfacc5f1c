"""Configuration files for TensorFlow Serving are valid and consistent."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from export.serving import client
from tests.support.export.serving_protocol import over_rest

FOLDER = Path(__file__).resolve().parents[3] / "export" / "serving"
CPU, GPU, BATCHING = (
    yaml.safe_load((FOLDER / f"docker-compose{name}.yml").read_text())["services"][
        "serving"
    ]
    for name in ("", ".gpu", ".batching")
)
README = (FOLDER / "README.md").read_text()


def model():
    text = (FOLDER / "models.config").read_text()
    (config,) = text_format.Parse(text, ModelServerConfig()).model_config_list.config
    return config


def test_models_config_is_a_valid_message():
    assert model().name == client._parser().get_default("model")
    assert model().model_platform == "tensorflow"
    assert model().model_version_policy.latest.num_versions == 1


def test_the_model_is_mounted_at_its_base_path():
    mounts = [volume.rsplit(":", 2)[-2:] for volume in CPU["volumes"]]
    assert [model().base_path, "ro"] in mounts
    assert ["/config", "ro"] in mounts


@pytest.mark.parametrize("service", [CPU, BATCHING])
def test_config_files_of_the_commands_exist(service):
    named = re.findall(r"/config/(\S+)", " ".join(service["command"]))
    assert named
    for name in named:
        assert (FOLDER / name).is_file()


def test_batch_sizes_obey_the_rules_of_tensorflow_serving():
    """Its own rules, of `CreateBasicBatchingSession` and `SharedBatchScheduler`."""
    text = (FOLDER / "batching.config").read_text()
    sizes = [int(one) for one in re.findall(r"^allowed_batch_sizes: (\d+)", text, re.M)]
    fields = dict(re.findall(r"^(\w+) \{ value: (\w+) \}", text, re.M))
    assert fields.pop("enable_large_batch_splitting") == "true"
    values = {name: int(value) for name, value in fields.items()}
    run, request = values["max_execution_batch_size"], values["max_batch_size"]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == run < request
    assert request <= values["max_enqueued_batches"] * run
    known = {"batch_timeout_micros", "num_batch_threads", "max_enqueued_batches"}
    assert values.keys() == known | {"max_execution_batch_size", "max_batch_size"}


def test_batching_is_off_unless_its_file_is_added():
    assert "--enable_batching" in BATCHING["command"]
    assert "--enable_batching" not in CPU["command"]
    assert "command" not in GPU
    assert set(CPU["command"]) < set(BATCHING["command"])


def test_no_flag_repeats_a_default():
    assert not [flag for flag in CPU["command"] if "rest_api_timeout" in flag]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("state", "healthy"), [("AVAILABLE", True), ("LOADING", False), (None, False)]
)
def test_the_health_check_passes_only_if_the_model_is_available(state, healthy):
    kind, *command = CPU["healthcheck"]["test"]
    assert kind == "CMD"
    assert f"/v1/models/{model().name} " in command[-1]
    with over_rest({}, state=state or "AVAILABLE") as url:
        port = url.rsplit(":", 1)[1] if state else "1"  # where nothing listens
        command[-1] = command[-1].replace("8501", port)
        done = subprocess.run(command, capture_output=True, timeout=30)
    assert (done.returncode == 0) == healthy


def test_files_in_the_readme_exist():
    for name in re.findall(r"[\w./-]+\.(?:py|yml|config)\b", README):
        folder = FOLDER.parents[1] if name.startswith("export/") else FOLDER
        assert (folder / name).is_file(), name


def test_the_readme_lists_the_exit_codes_of_the_client():
    listed = dict(re.findall(r"^\| (\d) \| ([a-z ]+)", README, re.M))
    assert set(map(int, listed)) == {0, 2, *range(3, 10)}
