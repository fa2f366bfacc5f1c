"""One real run of the main recipe, shared by the tests that look at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = ["--limit", "200", "--epochs", "2", "--teacher-epochs", "3"]


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The recipe started as a person starts it; output in build/distill."""
    folder = tmp_path_factory.mktemp("run")
    output = ["--output", "build/distill"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "recipes" / "distill_deit.py"), *SMALL, *output],
        cwd=folder,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    done.folder = folder
    return done
