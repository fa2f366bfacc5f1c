"""The SLURM and Kubernetes files run, with programs in place of the cluster."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from keras_cait.command_line.flags import make_settings, parse_flags
from keras_cait.training.devices.cluster import read_cluster
from keras_cait.training.programs.distill import DistillationSettings

CLUSTER = Path(__file__).parents[2] / "recipes" / "cluster"
PRINT_ARGUMENTS = """#!/bin/bash
printf '%s\\n' "$TF_CONFIG" | tr '\\n' ' '; echo
printf '%s\\n' "$KERAS_CAIT_SECRET"
printf '%s\\n' "$@"
"""
SCONTROL = "#!/bin/bash\nprintf 'gpu-a\\ngpu-b\\n'\n"
SRUN = """#!/bin/bash
shift  # its own option
for SLURM_PROCID in 0 1; do SLURM_PROCID=$SLURM_PROCID "$@"; echo end; done
"""


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def parse_output(text):
    """The cluster of a worker, and the settings of its recipe."""
    config, secret, recipe, *flags = text.strip().split("\n")
    assert Path(__file__).parents[2].joinpath(recipe).is_file()
    cluster = read_cluster(config, secret)
    assert cluster is not None
    return cluster, make_settings(DistillationSettings, parse(flags))


def parse(flags):
    return parse_flags(DistillationSettings, flags, description="")


def test_slurm_starts_a_worker_per_host(tmp_path):
    program(tmp_path / ".venv/bin/python", PRINT_ARGUMENTS)
    program(tmp_path / "bin/scontrol", SCONTROL)
    program(tmp_path / "bin/srun", SRUN)
    done = subprocess.run(
        ["bash", CLUSTER / "slurm.sh"],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "SLURM_JOB_NODELIST": "gpu-[a-b]",
            "DATA": "/data",
            "OUTPUT": "/runs/one",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    first, second, _ = done.stdout.split("end\n")
    for index, text in enumerate((first, second)):
        cluster, config = parse_output(text)
        assert re.fullmatch("[0-9a-f]{32}", cluster.secret)
        assert cluster.secret == parse_output(first)[0].secret
        assert cluster.addresses == ("gpu-a:12345", "gpu-b:12345")
        assert cluster.index == index
        assert config.resume
        assert config.output == Path("/runs/one")


def test_slurm_without_a_data_folder_is_an_error(tmp_path):
    done = subprocess.run(
        ["bash", CLUSTER / "slurm.sh"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "DATA: folder of" in done.stderr


@pytest.mark.parametrize("index", [0, 1])
def test_kubernetes_starts_a_worker_per_index(index, tmp_path):
    service, job = yaml.safe_load_all((CLUSTER / "kubernetes.yaml").read_text())
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    template = job["spec"]["template"]["spec"]
    (container,) = template["containers"]
    assert job["spec"]["completionMode"] == "Indexed"
    assert template["subdomain"] == name == job["metadata"]["name"]
    assert (
        service["spec"]["clusterIP"] == "None" or service["spec"]["clusterIP"] is None
    )
    program(tmp_path / "python", PRINT_ARGUMENTS)
    done = subprocess.run(
        container["command"],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "JOB_COMPLETION_INDEX": str(index),
            **{entry["name"]: "from the cluster" for entry in container["env"]},
        },
        capture_output=True,
        text=True,
        check=True,
    )
    cluster, config = parse_output(done.stdout)
    hosts = [f"{name}-{worker}.{name}:{port}" for worker in range(2)]
    assert list(cluster.addresses) == hosts
    assert cluster.secret == "from the cluster"
    assert cluster.index == index
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == len(hosts)
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert any(str(config.output).startswith(mount) for mount in mounts)
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in template["volumes"]
    }
    assert {p["containerPort"] for p in container["ports"]} == {port}
