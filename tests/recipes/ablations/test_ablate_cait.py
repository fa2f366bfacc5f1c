"""Every row of each table is trained, and written as soon as it is."""

import csv

import pytest
from ablate_cait import main  # pyright: ignore[reportMissingImports]

from tests.support.data.pictures import results_of, without_compiling

FEW = ["--limit", "16", "--batch-size", "16", "--epochs", "1", "--warmup-epochs", "0"]
SIZE = ["--embed-dim", "8", "--num-heads", "2", "--teacher-epochs", "1"]


def run(table, tmp_path, capsys, *options):
    output = tmp_path / table
    arguments = [*FEW, *SIZE, "--table", table, *options, "--output", str(output)]
    with without_compiling():
        code = main(arguments)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    with open(output / "results.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    table = (output / "table.md").read_text().splitlines()
    found = results_of(captured.out)["rows"]
    assert len(table) == len(found) + 2
    return rows, found


@pytest.mark.slow
def test_the_table_scaling_has_a_row_per_scaling_and_depth(tmp_path, capsys):
    rows, found = run("scaling", tmp_path, capsys, "--depths", "1")
    expected = ["none", "rezero", "fixup", "scalar", "layer_scale"]
    assert [row["scaling"] for row in rows] == expected
    assert all(0 <= row["accuracy"] <= 1 for row in found)


@pytest.mark.slow
def test_rows_are_averaged_over_seeds(tmp_path, capsys):
    options = ["--depths", "1,2", "--seeds", "2"]
    rows, found = run("scaling", tmp_path, capsys, *options)
    assert (len(rows), len(found)) == (20, 10)
    assert all("accuracy_spread" in row for row in found)


@pytest.mark.slow
def test_the_table_token_has_a_row_per_insertion(tmp_path, capsys):
    rows, _ = run("token", tmp_path, capsys, "--depth", "4")
    assert {row["token enters"] for row in rows} >= {"0", "never", "2", "3", "4"}
    assert {row["blocks"] for row in rows} >= {"4 + 1", "4 + 3", "1 + 3", "3 + 1"}


@pytest.mark.slow
def test_the_table_distillation_has_rows_of_heads_and_pairs(tmp_path, capsys):
    _, found = run("distillation", tmp_path, capsys, "--depth", "1")
    models = [(row["model"], row["head"]) for row in found if "accuracy" in row]
    assert models == [
        ("teacher", ""),
        ("undistilled", ""),
        ("soft, one head", ""),
        ("hard, one head", ""),
        ("hard, with a token", "output"),
        ("hard, with a token", "class head"),
        ("hard, with a token", "distillation head"),
    ]
    apart = {
        row["model"]: row["disagreement"] for row in found if "disagreement" in row
    }
    assert len(apart) == 10
    assert all(0 <= part <= 1 for part in apart.values())
    assert "class head against distillation head" in apart
