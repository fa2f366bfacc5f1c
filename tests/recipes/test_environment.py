"""Environment variables that a recipe sets before TensorFlow reads them."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[2] / "recipes"
TRAINING = (
    *("distill_deit", "distill_cait", "train_deit", "train_cait"),
    *("finetune", "evaluate", "ablations/ablate_cait"),
)
HEAVY = {"keras", "keras_cait", "tensorflow"}
NAMES = ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")


def modules(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.ImportFrom):
        return {(statement.module or "").partition(".")[0]}
    names = statement.names if isinstance(statement, ast.Import) else []
    return {alias.name.partition(".")[0] for alias in names}


@pytest.mark.parametrize("program", TRAINING)
def test_one_dnn_is_asked_for_before_tensorflow_is_imported(program):
    statements = ast.parse((RECIPES / f"{program}.py").read_text()).body
    first = next(i for i, s in enumerate(statements) if modules(s) & HEAVY)
    before = "\n".join(map(ast.unparse, statements[:first]))
    for name in NAMES:
        assert f"os.environ.setdefault('{name}'," in before


@pytest.mark.slow
@pytest.mark.parametrize("given", [None, "0"])
def test_a_value_of_the_user_stays(given):
    environment = {k: v for k, v in os.environ.items() if k != NAMES[1]}
    environment |= {} if given is None else {NAMES[1]: given}
    code = f"import os, train_deit; print(os.environ['{NAMES[1]}'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=RECIPES,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (given or "1")
