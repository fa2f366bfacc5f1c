"""The documentation as a site: a strict build, its links, and no other host."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support.documentation import PAGES
from tests.support.source_tree import ROOT

# What the build reads.
FILES = (
    *("README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "zensical.toml"),
    *("docs", "export", "keras_cait", "recipes"),
    *("tests/full_size", "tests/parity", "tests/support"),
)
LOADS = {"img": "src", "script": "src", "link": "href", "source": "src"}


class Page(HTMLParser):
    """Links, identifiers and loaded files of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loads, self.identifiers = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.identifiers |= {given[name] for name in ("id", "name") if name in given}
        if tag in LOADS and given.get(LOADS[tag]):
            self.loads.append(given[LOADS[tag]])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])


def copy_tree(target):
    ignore = shutil.ignore_patterns("__pycache__")
    for name in FILES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, target / name)


def build(tree):
    return subprocess.run(
        ["bash", "docs/build.sh"],
        cwd=tree,
        env={**os.environ, "PYTHON": sys.executable, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    tree = tmp_path_factory.mktemp("site")
    copy_tree(tree)
    done = build(tree)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == "No issues found\n"  # nor a line of mkdocstrings
    return tree / "build" / "site"


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site): Page(path) for path in site.rglob("*.html")}


def test_every_page_is_in_the_site(pages):
    expected = {
        re.sub(r"README\.html$", "index.html", str(Path(page).with_suffix(".html")))
        for page in PAGES
    }
    assert {str(path) for path in pages} >= expected


def test_links_lead_to_pages_files_and_anchors(site, pages):
    broken = []
    for here, page in pages.items():
        for link in [*page.links, *page.loads]:
            if re.match(r"[a-z]+:", link) or here.name == "404.html":
                continue
            path, _, anchor = unquote(link).partition("#")
            path = path.partition("?")[0]
            target = Path(os.path.normpath(here.parent / path)) if path else here
            known = pages[target].identifiers if target in pages else set()
            if not (site / target).is_file() or (anchor and anchor not in known):
                broken.append(f"{here}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_another_host(site, pages):
    outside = {
        f"{here}: {link}"
        for here, page in pages.items()
        for link in page.loads
        if re.match(r"([a-z]+:)?//", link)
    }
    assert outside == set()
    for path in [*site.rglob("*.css"), *site.rglob("*.svg")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(url\(|@import|href=)\s*[\"']?(https?:)?//", text), path


def test_search_finds_pages_and_names(site):
    index = (site / "search.json").read_text(encoding="utf-8")
    assert "TalkingHeads" in index
    assert "docs/faq.html" in index


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[no page](nowhere.md)", "page does not exist"),
        ("[no heading](faq.md#nowhere)", "anchor does not exist"),
        ("::: keras_cait.nothing", "could not be found"),
    ],
)
@pytest.mark.slow
def test_a_broken_page_ends_the_build(text, message, tmp_path):
    copy_tree(tmp_path)
    with open(tmp_path / "docs" / "start.md", "a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
    done = build(tmp_path)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
