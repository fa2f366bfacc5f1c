"""Every model in every format: small ones here, all by `make test-export`."""

import gc
import itertools
from pathlib import Path

import keras
import pytest

import keras_cait
from tests.export.matrix import FORMATS, FULL, check, export, row

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


@pytest.fixture(autouse=True)
def forget():
    yield
    keras.backend.clear_session()
    gc.collect()


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
def test_small(name, format, tmp_path):
    check(export(SMALL[name], format, tmp_path / "model"), format)


@pytest.mark.export
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", FULL)
def test_published_sizes(name, format, tmp_path):
    report = export(FULL[name], format, tmp_path / "model")
    check(report, format)
    if not TABLE.exists():
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(HEADING)
    with TABLE.open("a") as table:
        table.write(row(name, format, report) + "\n")
