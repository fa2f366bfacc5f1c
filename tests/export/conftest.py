"""Fixtures of the export tests."""

import os

import pytest

from tests.support.export.served_models import Served, exported


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Served:
    """A distilled DeiT as a SavedModel, with labels and all classes as the top."""
    base = tmp_path_factory.getbasetemp()
    return exported(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
