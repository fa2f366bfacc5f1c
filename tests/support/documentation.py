"""Pages of the documentation as data: their links, headings, code and commands."""

import contextlib
import importlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from tests.support.source_tree import ROOT

NOT_OURS = {".venv", ".venv-torch", ".cache", ".pytest_cache", "build", "dist"}
PAGES = [
    str(path.relative_to(ROOT))
    for path in sorted(ROOT.rglob("*.md"))
    if not NOT_OURS & {*path.parts}
]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"(?:^|\s|/)(?:python (-m )?([\w./]+)|keras-cait( [a-z]+)?)(.*)")


@dataclass(frozen=True)
class Block:
    """A block of code: its language, "" for indented lines, and its text."""

    language: str
    text: str


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def python_in(page: str) -> list[str]:
    return [block.text for block in blocks_in(page) if block.language == "python"]


def blocks_in(page: str) -> Iterator[Block]:
    """The blocks of code of a page, in order."""
    text, end = text_of(page), 0
    for fence in [*_FENCE.finditer(text), None]:
        before = text[end : fence.start() if fence else len(text)]
        for lines in re.findall(
            r"(?:^ {4}\S.*\n(?: {4}.*\n|\n(?= {4}))*)", before, re.M
        ):
            yield Block("", lines)
        if fence is not None:
            yield Block(fence[1], fence[2])
            end = fence.end()


def command_lines(block: Block) -> list[list[str]]:
    """The words of each command of a block, without comments."""
    lines = block.text.replace("\\\n", " ").splitlines()
    words = [shlex.split(line, comments=True) for line in lines]
    return [line for line in words if line]


def commands_in(page: str) -> Iterator[tuple[str, set[str]]]:
    """The program of each command of a page, in a block or quoted, and its flags."""
    for line in text_of(page).replace("\\\n", " ").splitlines():
        quoted = re.findall(r"`([^`]+)`", line)
        for part in [line] if line.startswith("    ") else quoted:
            found = _COMMAND.search(part.partition(" #")[0])
            if found:
                name = found[2] or f"keras-cait{found[3] or ''}"
                module = name if found[1] else name.removesuffix(".py")
                flags = re.findall(r"\s(--[a-z][a-z-]*)", found[4])
                yield module.replace("/", "."), set(flags)


def program(name: str):
    """The main function of a program: a file, a module or `keras-cait`."""
    if name == "keras-cait":
        name = "keras_cait.cli.app"
    if name.startswith(("recipes.ablations.", "recipes.benchmarks.")):
        name = name.rpartition(".")[2]  # as when its file is run
    return importlib.import_module(name).main


def help_of(name: str) -> str:
    """The text that a program, or a command of `keras-cait`, prints for `--help`."""
    name, _, command = name.partition(" ")
    with (
        contextlib.redirect_stdout(io.StringIO()) as text,
        mock.patch.dict(os.environ, {"COLUMNS": "200"}),  # no flag is broken
    ):
        try:
            code = program(name)([*command.split(), "--help"])
        except SystemExit as ended:
            code = ended.code
    assert code == 0
    return text.getvalue()


def links_in(page: str) -> list[tuple[str, str]]:
    """The relative links of a page: path, empty for the page itself, and anchor."""
    text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text_of(page)))
    found = re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)", text)
    return [(path, anchor) for path, anchor in found if path or anchor]


def anchors_of(path: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts name them."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", path.read_text()), re.M)
    return {_slug(heading) for heading in headings}


def _slug(heading: str) -> str:
    words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
