"""Every model in every format: small ones here, all by `make test-export`."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

import keras_cait
from tests.support.export.matrix import FORMATS, FULL, check, export

SMALL = {
    "DeiT, distilled": lambda: keras_cait.DeiT(
        input_shape=(32, 48, 3),
        patch_size=8,
        embed_dim=48,
        depth=2,
        num_heads=4,
        classes=10,
        distilled=True,
        include_preprocessing=True,
    ),
    "CaiT": lambda: keras_cait.CaiT(
        input_shape=(32, 32, 3),
        patch_size=8,
        embed_dim=48,
        depth=2,
        num_heads=4,
        classes=10,
    ),
}
TABLE = Path("build/exports.md")
HEADING = (
    "| model | format | size | latency | difference | same class | operators |\n"
    "|---|---|---|---|---|---|---|\n"
)


QUICK = {
    ("DeiT, distilled", "saved_model"),
    ("DeiT, distilled", "int8"),
    ("CaiT", "onnx"),
}
CASES = [
    pytest.param(*case, marks=[] if case in QUICK else pytest.mark.slow)
    for case in itertools.product(SMALL, FORMATS)
]


@pytest.mark.parametrize(("name", "format"), CASES)
def test_a_small_model_is_exported(name, format, tmp_path):
    check(export(SMALL[name], format, tmp_path / "model"), format)


@pytest.mark.export
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", FULL)
def test_a_published_size_is_exported(name, format, tmp_path):
    """In a process each: TensorFlow gives nothing back of the graphs it has seen."""
    case = [sys.executable, "-m", "tests.support.export.matrix", name, format, tmp_path]
    done = subprocess.run(case, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    if not TABLE.exists():
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(HEADING)
    with TABLE.open("a") as table:
        table.write(done.stdout.splitlines()[-1] + "\n")
