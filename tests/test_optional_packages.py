"""Errors for missing packages, with the command that installs them."""

import pytest

from keras_cait.optional_packages import import_optional


def test_a_missing_package_is_named_with_its_extra():
    with pytest.raises(ModuleNotFoundError, match=r"nowhere.*keras-cait\[export\]"):
        import_optional("nowhere", "export")


def test_the_error_names_the_package_and_the_purpose():
    with pytest.raises(
        ModuleNotFoundError, match=r"^The package nowhere is required to read it, but"
    ):
        import_optional("nowhere.inside", "torch", purpose="to read it")


def test_an_installed_package_without_its_own_dependency_raises_its_own_error(
    tmp_path, monkeypatch
):
    (tmp_path / "half_there.py").write_text("import nowhere")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'nowhere'$"):
        import_optional("half_there", "export")
