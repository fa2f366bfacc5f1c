"""The project's source tree as data: files, imports, identifiers and docstrings."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("export", "keras_cait", "recipes", "tests")


@cache
def python_files() -> tuple[Path, ...]:
    """Every Python file of the project, relative to its root."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found += ROOT.glob("*.py")
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> dict[str, set[str]]:
    """The modules of `keras_cait` that each of them imports, in functions too."""
    files = {
        module_name(path): path
        for path in python_files()
        if path.parts[0] == "keras_cait"
    }
    found = {}
    for module, path in files.items():
        names: set[str] = set()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                full = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= {name if name in files else node.module for name in full}
        found[module] = (names & set(files)) - {module}
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The nodes of one circle of a graph, the first one twice; empty without one."""
    done: set[str] = set()

    def search(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(graph[node]):
            if found := search(other, [*path, node]):
                return found
        done.add(node)
        return []

    for node in sorted(graph):
        if found := search(node, []):
            return found
    return []


def identifiers(path: Path) -> set[str]:
    """Every name that a file defines or uses, and the parts of its own path."""
    found = {path.stem, *path.parent.parts}
    for node in ast.walk(parsed(path)):
        for field in ("id", "name", "attr", "arg", "asname"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                found.add(value)
    return found
