"""Ours and installed peers are measured in turn; those that are missing are named."""

import re
import sys

import pytest
from compare import (  # pyright: ignore[reportMissingImports]
    OURS,
    RATIOS,
    draw,
    main,
    pythons_of_peers,
    ratios,
)
from peers import INFERENCE, PACKAGES, TRAINING  # pyright: ignore[reportMissingImports]

from keras_cait.benchmarking.settings import RUNTIMES
from keras_cait.benchmarking.training_steps import JIT_COMPILE
from tests.support.benchmark_programs import run_benchmark
from tests.support.data.pictures import results_of


def row(median):
    return {"best": 2 * median, "median": median, "first_s": 1.0}


TABLE = {
    "DeiT_Ti, inference": {
        "batch 1": {"xla": row(30.0), "zeromodels_xla": row(20.0), "timm": row(4.0)},
        "batch 8": {"xla": row(90.0), "timm_compile": row(45.0)},
    },
    "DeiT_Ti, training": {"batch 8": {"tensorflow_xla": row(5.0), "timm": row(2.5)}},
}


def test_a_peer_that_no_python_has_is_named(capsys):
    found = pythons_of_peers([])
    text = capsys.readouterr().out
    named = set(re.findall(r"^(\w+): left out", text, re.MULTILINE))
    assert named == PACKAGES.keys() - found.keys()
    assert set(found.values()) <= {sys.executable}


def test_ratios_are_ours_to_theirs_where_both_were_measured():
    assert ratios(TABLE) == {
        "DeiT_Ti, inference, batch 1": {"xla / zeromodels_xla": 1.5},
        "DeiT_Ti, inference, batch 8": {"xla / timm_compile": 2.0},
        "DeiT_Ti, training, batch 8": {"tensorflow_xla / timm": 2.0},
    }


def test_ratios_are_of_contestants_that_exist():
    known = {
        "inference": {*RUNTIMES, *INFERENCE},
        "training": {*JIT_COMPILE, *TRAINING},
    }
    for task, pairs in RATIOS.items():
        assert {name for pair in pairs for name in pair} <= known[task]
        assert set(OURS[task]) <= known[task]


def test_the_picture_has_a_panel_for_each_case(tmp_path):
    figure = draw(TABLE)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "DeiT_Ti, inference, batch 1",
        "DeiT_Ti, inference, batch 8",
        "DeiT_Ti, training, batch 8",
    ]
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [8.0, 40.0, 60.0]  # the fastest on top
    figure.savefig(tmp_path / "rates.svg")
    assert (tmp_path / "rates.svg").stat().st_size > 1000


@pytest.mark.slow
def test_two_runtimes_are_measured_in_turn(tmp_path):
    flags = ["--models", "DeiT_Ti", "--image-size", "32", "--rounds", "2"]
    flags += ["--seconds", "0.05", "--rest", "0", "--only", "graph", "xla"]
    picture = tmp_path / "rates.png"
    done = run_benchmark("compare", *flags, "--picture", picture)
    results = results_of(done.stdout)
    for batch in ("batch 1", "batch 8"):
        rows = results["rates"]["DeiT_Ti, inference"][batch]
        assert set(rows) == {"graph", "xla"}
        assert all(0 < row["median"] <= row["best"] for row in rows.values())
        ratio = rows["xla"]["best"] / rows["graph"]["best"]
        found = results["ratios"][f"DeiT_Ti, inference, {batch}"]
        assert found == {"xla / graph": pytest.approx(ratio, rel=1e-3)}
        for name in rows:  # once a round, as soon as it is measured
            assert done.stdout.count(f"  DeiT_Ti, {name}, {batch}: ") == 2
    assert picture.read_bytes()[1:4] == b"PNG"


def test_wrong_flags_give_one_line(capsys):
    assert main(["--models", "CaiT_XXS42"]) == 2
    assert "--models must be of" in capsys.readouterr().err
    assert main(["--pythons", "/nowhere/python"]) == 2
    assert "No Python at /nowhere/python" in capsys.readouterr().err
