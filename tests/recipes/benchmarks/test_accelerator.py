"""The program for accelerators runs where there is none, on small models."""

import pytest
from accelerator import CASES, main  # pyright: ignore[reportMissingImports]

import keras_cait
from tests.support.data.pictures import results_of


def check(results, parts, implementations):
    assert results["product"] > 0
    (case,) = results["cases"].values()
    assert list(case) == parts
    for rows in case.values():
        assert list(rows) == implementations
        for row in rows.values():
            assert 0 < row["median"] <= row["best"]
            assert min(row["share"], row["peak_mb"], row["first_s"]) > 0


@pytest.mark.slow
def test_a_dry_run_prints_a_table_and_json(capsys):
    flags = ["--parts", "inference", "--implementations", "fused"]
    assert main(["--dry-run", *flags]) == 0
    text = capsys.readouterr().out
    assert text.count("median images/s") == 1
    check(results_of(text), ["inference"], ["fused"])


@pytest.mark.slow
def test_a_dry_run_of_every_implementation(capsys):
    assert main(["--dry-run", "--implementations", "auto", "blocks", "fused"]) == 0
    implementations = ["auto", "blocks", "fused"]
    check(
        results_of(capsys.readouterr().out), ["inference", "training"], implementations
    )


def test_the_cases_are_published_models():
    for case in CASES.values():
        assert callable(getattr(keras_cait, case.model))
        assert keras_cait.list_models(case.timm)


def test_unknown_cases_give_one_line(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--cases", "CaiT_S24"])
    assert caught.value.code == 2
    assert "--cases must be of CaiT_XXS24_224" in capsys.readouterr().err
