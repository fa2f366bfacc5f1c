"""The reference has every public name, and the pages of layers every layer."""

import importlib
import re
import xml.etree.ElementTree as ET

import pytest

import keras_cait
import keras_cait.export
from tests.support.documentation import PAGES, text_of
from tests.support.source_tree import ROOT

MODULES = (
    keras_cait,
    keras_cait.layers,
    keras_cait.visualization,
    keras_cait.export,
)
PICTURES = sorted((ROOT / "docs/pictures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def documented():
    """Objects of the reference, by the name of each."""
    pages = [page for page in PAGES if page.startswith("docs/reference/")]
    paths = [
        p for page in pages for p in re.findall(r"^::: (\S+)", text_of(page), re.M)
    ]
    assert len(paths) == len(set(paths))
    split = [path.rpartition(".") for path in paths]
    return {name: getattr(importlib.import_module(m), name) for m, _, name in split}


def test_every_public_name_is_in_the_reference():
    found = documented()
    for module in MODULES:
        public = {name: getattr(module, name) for name in module.__all__}
        for name in ("layers", "visualization"):
            public.pop(name, None)  # modules, with pages of their own
        assert {name: found.get(name) for name in public} == public


def test_every_layer_has_a_section_with_formula_picture_and_example():
    sections = re.split(r"^## ", text_of("docs/layers.md"), flags=re.M)[1:]
    named = {name: s for s in sections for name in re.findall(r"\w+", s.split("\n")[0])}
    for name in keras_cait.layers.__all__:
        section = named[name]
        assert re.search(r"!\[.+\]\(pictures/\w+\.svg\)", section), name
        assert "`(" in section, name  # shapes
        assert re.search(r"`[^`]+(=|softmax)[^`]+`", section), name  # formula
        assert f"layers.{name}(" in section, name


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_used_is_described_and_suits_both_themes(picture):
    assert any(f"pictures/{picture.name}" in text_of(page) for page in PAGES)
    root = ET.parse(picture).getroot()
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text
    text = picture.read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in text
    assert len(text) < 12_000
    width, height = (float(root.attrib[name]) for name in ("width", "height"))
    for element in root.iter(f"{SVG}rect"):
        right = float(element.attrib["x"]) + float(element.attrib["width"])
        bottom = float(element.attrib["y"]) + float(element.attrib["height"])
        assert right <= width
        assert bottom <= height
