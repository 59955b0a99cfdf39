"""The bench shares no code with what it judges."""

import ast
from pathlib import Path

import pytest

import bench.truth.truth

SERVICES = {"inventory", "prober", "forwarder", "reporting"}
FILES = sorted(Path(bench.truth.truth.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_file_of_the_bench_imports_a_service(file: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            imported.add(node.module.partition(".")[0])
    assert not imported & SERVICES
