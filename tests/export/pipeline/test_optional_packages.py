"""A package that is missing says how it is installed."""

import pytest

from keras_cait.export.pipeline.optional_packages import needed


def test_what_is_missing_is_named_with_its_extra():
    with pytest.raises(ModuleNotFoundError, match=r"nowhere.*keras-cait\[export\]"):
        needed("nowhere")


def test_a_package_that_is_there_and_lacks_another_says_so_itself(
    tmp_path, monkeypatch
):
    (tmp_path / "half_there.py").write_text("import nowhere")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'nowhere'$"):
        needed("half_there")
