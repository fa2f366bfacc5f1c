"""Time and memory are measured along each axis, as far as the memory suffices."""

import pytest
from growth import draw, import_seconds, main  # pyright: ignore[reportMissingImports]

from tests.support.benchmark_programs import run_benchmark
from tests.support.data.pictures import results_of


@pytest.mark.slow
def test_an_axis_ends_where_memory_would_not_suffice(tmp_path):
    flags = ["--axes", "depth", "--depth", "1", "2", "100000", "--tasks", "inference"]
    flags += ["--embed-dim", "48", "--seconds", "0.01"]
    picture = tmp_path / "growth.svg"
    done = run_benchmark("growth", *flags, "--picture", picture)
    results = results_of(done.stdout)
    rows = results["inference"]["depth"]
    assert [row["depth"] for row in rows] == [1, 2]
    assert "depth 100000: left out, would need" in done.stdout
    for row in rows:
        assert row["ms"] > 0
        assert row["imports_mb"] < row["peak_mb"] < 20_000
        assert (row["tokens"], row["batch"]) == (196, 1)
    assert picture.read_text().startswith("<?xml")


@pytest.mark.slow
def test_importing_takes_a_third_of_a_second_at_most_beyond_keras():
    assert 0 < import_seconds() < 0.3


def test_the_picture_has_time_and_memory_along_each_axis():
    rows = [
        {"depth": depth, "batch": 1, "ms": 10.0 * depth, "peak_mb": 800}
        for depth in (12, 24)
    ]
    found = {task: {"depth": rows} for task in ("inference", "training")}
    time, memory = draw(found).axes
    for line in time.lines:
        assert line.get_xydata().tolist() == [[12, 0.12], [24, 0.24]]
    assert [line.get_ydata().tolist() for line in memory.lines] == 2 * [[0.8, 0.8]]
    assert memory.get_ylabel() == "peak memory, GB"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tokens", "64", "200"], "--tokens must be squares. Received: --tokens"),
        (["--depth", "24", "12"], "--depth must be numbers of 1 or more, in ascending"),
        (["--embed-dim", "100"], "--embed-dim must be a multiple of 48"),
    ],
)
def test_wrong_flags_give_one_line(flags, message, capsys):
    assert main(flags) == 2
    assert message in capsys.readouterr().err
