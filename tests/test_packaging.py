"""Installation: the wheel, the lock, and the README's first commands."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from keras_cait.cli.app import main
from tests.support.data.photographs import encoded, photograph

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "keras_cait"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()

NEEDS_MAKE = pytest.mark.skipif(
    shutil.which("make") is None, reason="make is not installed"
)

DATA = {".typed", ".json", ".html", ".css", ".js", ".svg"}  # suffixes


def run(*command, **options):
    """The stripped stdout of a command that must succeed."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def pip(*arguments):
    quiet = ["--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]
    return run(sys.executable, "-m", "pip", *arguments, *quiet)


def pins(python):
    """The lock as Linux reads it on one Python: `{name: [versions]}`."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
    }
    found = {}
    for line in LOCK.splitlines():
        if line.startswith("#"):
            continue
        pin = Requirement(line)
        assert re.fullmatch(r"==[^*]+", str(pin.specifier)), line
        if pin.marker is None or pin.marker.evaluate(environment):
            version = str(pin.specifier).removeprefix("==")
            found.setdefault(canonicalize_name(pin.name), []).append(version)
    return found


def requirements():
    extras = PROJECT["optional-dependencies"]
    # Some hundred megabytes for .pth files alone: `make torch` installs it.
    extras = [extras[name] for name in extras if name != "torch"]
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    return [Requirement(line) for line in lines]


def make(*arguments):
    return run("make", "--no-print-directory", *arguments, cwd=ROOT)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the tree, so that no build lands in it."""
    tree = tmp_path_factory.mktemp("tree")
    files = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE")
    for file in (*files, "keras_cait_command.py"):
        shutil.copy(ROOT / file, tree)
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("keras_cait", "recipes", "export"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignore)
    pip("wheel", "--no-build-isolation", "--wheel-dir", tree / "dist", tree)
    (built,) = (tree / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean_python(wheel, tmp_path_factory):
    """An interpreter with the wheel and its dependencies, and not this checkout.

    The `.pth` file adds the folder of the dependencies and runs none of the
    `.pth` files in it, so an editable install of the project stays unknown.
    """
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    scripts = "Scripts" if os.name == "nt" else "bin"
    python = folder / scripts / Path(sys.executable).name
    site = Path(run(python, "-c", "import site; print(site.getsitepackages()[-1])"))
    pip("install", "--target", site, wheel)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_the_wheel_holds_one_package_and_its_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    version = wheel.name.split("-")[1]
    expected = {"keras_cait", "keras_cait_command.py"}
    assert top == {*expected, f"keras_cait-{version}.dist-info"}


def test_the_wheel_holds_every_python_file_and_the_license(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py")}
    expected.add("keras_cait_command.py")
    assert {name for name in names if name.endswith(".py")} == expected
    data = [path for path in PACKAGE.rglob("*.*") if path.suffix not in (".py", ".pyc")]
    assert {path.suffix for path in data} == DATA
    assert {path.relative_to(ROOT).as_posix() for path in data} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_imports_from_another_folder(clean_python, tmp_path):
    script = "import keras_cait.export; print(keras_cait.__file__)"
    file = Path(run(clean_python, "-I", "-c", script, cwd=tmp_path).splitlines()[-1])
    assert file.is_relative_to(clean_python.parents[1])
    assert file.as_posix().endswith("/keras_cait/__init__.py")


def test_the_wheel_names_classes_and_has_the_command(clean_python, tmp_path):
    script = (
        "import numpy, keras_cait as k; "
        "print(k.decode_predictions(numpy.eye(1000)[[1]], top=1)[0][0][1])"
    )
    assert run(clean_python, "-I", "-c", script, cwd=tmp_path).endswith("goldfish")
    script = (
        "from importlib.metadata import entry_points as e; "
        "(command,) = e(group='console_scripts', name='keras-cait'); "
        "command.load()(['list'])"
    )
    assert "cait_xxs24_224" in run(clean_python, "-I", "-c", script, cwd=tmp_path)


def test_no_bare_names_are_installed(clean_python, tmp_path):
    find = "from importlib.util import find_spec as f; print(f('export'), f('recipes'))"
    assert run(clean_python, "-I", "-c", find, cwd=tmp_path) == "None None"


def test_the_lock_names_no_index():
    assert "://" not in LOCK
    assert not re.search(r"^\s*-", LOCK, re.MULTILINE)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_pins_every_requirement_once(python):
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]
    pinned = pins(python)
    assert [name for name, versions in pinned.items() if len(versions) > 1] == []
    for requirement in requirements():
        (version,) = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_what_is_installed_fits_together():
    run(sys.executable, "-m", "pip", "check", "--disable-pip-version-check")


@NEEDS_MAKE
def test_the_readme_opens_with_commands_that_exist():
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"^\s*make ([a-z]+)", readme, re.MULTILINE)
    assert targets[:2] == ["distill", "test"]
    for target in dict.fromkeys(targets):
        make("--dry-run", target)
    assert "`make demo IMAGE=photo.jpg`" in readme


@NEEDS_MAKE
@pytest.mark.parametrize(
    ("given", "received"),
    [
        ([], "no IMAGE"),
        (["IMAGE="], "no IMAGE"),
        (["IMAGE=it's none.jpg"], "IMAGE=it's none.jpg and no such file"),
        (["IMAGE=docs"], "IMAGE=docs and no such file"),
    ],
)
def test_a_demo_without_a_photograph_is_refused_in_one_line(given, received):
    command = ["make", "--no-print-directory", "demo", *given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert f"make demo IMAGE=photo.jpg. Received: {received}." in line


@NEEDS_MAKE
def test_a_demo_draws_attention_over_the_photograph(tmp_path, monkeypatch):
    image = tmp_path / "it's a photo (1).jpg"
    image.write_bytes(encoded(photograph(60, 80)))
    flags = "--weights none --image-size 32"
    printed = make("--dry-run", "demo", f"IMAGE={image}", f"ARGS={flags}")
    program, *words = shlex.split(printed.splitlines()[-1])
    assert program == ".venv/bin/keras-cait"
    monkeypatch.chdir(tmp_path)
    assert main(words) == main(words) == 0  # the second time it is replaced
    assert (tmp_path / "build" / "attention.png").read_bytes().startswith(b"\x89PNG")
    printed = make("--dry-run", "demo", f"IMAGE={image}", "MODEL=my own.keras")
    assert shlex.split(printed.splitlines()[-1])[4] == "my own.keras"
