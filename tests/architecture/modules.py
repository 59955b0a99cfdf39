"""The modules of the house as the tests of its architecture read them: paths, syntax trees and who imports whom."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    ROOT / "shared/src/vonggac",
    *(ROOT / f"services/{name}/src/{name}" for name in ("inventory", "prober", "forwarder", "reporting")),
    ROOT / "simulator/src/simulator",
    ROOT / "local/src/local",
    ROOT / "console/src/console",
    ROOT / "bench",
]


def tracked(*patterns: str) -> list[Path]:
    """The files of the checkout that match, those that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).exists()]


def _name(path: Path, source: Path) -> str:
    parts = path.relative_to(source.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, Path]:
    """Every module by its dotted name; a package goes by that of its folder."""
    return {_name(path, source): path for source in SOURCES for path in sorted(source.rglob("*.py"))}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file, outer ones first. Read once for all tests of a run: walking costs more than parsing."""
    return tuple(ast.walk(tree(path)))


@cache
def statements(path: Path) -> tuple[ast.AST, ...]:
    """Every statement of a file, at any depth: imports and definitions are among them. A tenth of `nodes`."""
    found: list[ast.AST] = [*tree(path).body]
    for node in found:
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            found += getattr(node, block, ())
    return tuple(found)


@cache
def imports() -> dict[str, frozenset[str]]:
    """The modules of the house that each one imports, wherever the statement stands (TYPE_CHECKING included)."""
    return {name: frozenset(_imported(path)) - {name} for name, path in modules().items()}


def _imported(path: Path) -> Iterator[str]:
    for node in statements(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in modules():
                    yield whole
                elif node.module in modules():
                    yield str(node.module)


def importers(name: str) -> set[str]:
    return {other for other, imported in imports().items() if name in imported}


def circles(graph: dict[str, frozenset[str]]) -> list[list[str]]:
    """Groups of modules that reach each other (Kosaraju: two depth-first passes)."""
    reverse: dict[str, set[str]] = {name: set() for name in graph}
    for name, reached in graph.items():
        for other in reached:
            reverse[other].add(name)
    order: list[str] = []
    seen: set[str] = set()
    for name in graph:
        _walk(name, graph, seen, order)
    found: list[list[str]] = []
    seen = set()
    for name in reversed(order):
        group: list[str] = []
        _walk(name, reverse, seen, group)
        if len(group) > 1:
            found.append(sorted(group))
    return found


def _walk(
    start: str, graph: dict[str, frozenset[str]] | dict[str, set[str]], seen: set[str], finished: list[str]
) -> None:
    waiting: list[tuple[str, bool]] = [(start, False)]
    while waiting:
        name, left = waiting.pop()
        if left:
            finished.append(name)
        elif name not in seen:
            seen.add(name)
            waiting.append((name, True))
            waiting.extend((other, False) for other in graph[name])
