"""Tools of npm: spectral finds nothing in the documents, and a client by @hey-api/openapi-ts walks the services."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.clients.generated import HERE, SERVICES, document, node_tool

pytestmark = [pytest.mark.server, pytest.mark.slow]

TSCONFIG = {
    "compilerOptions": {
        "target": "es2022", "module": "nodenext", "moduleResolution": "nodenext", "outDir": "out", "strict": True,
        "skipLibCheck": True, "lib": ["es2022", "dom", "dom.iterable"], "types": [],
    },
    "include": ["*.ts", "prober", "forwarder", "reporting", "inventory"],
}  # fmt: skip


def run(*command: str | Path, cwd: Path = HERE, **environment: str) -> str:
    ran = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, **environment, "NO_COLOR": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_spectral_has_nothing_to_say(service: str) -> None:
    told = run(
        node_tool("spectral"), "lint", "--fail-severity=hint", "--display-only-failures", "-r", HERE / "spectral.yaml",
        document(service),
    )  # fmt: skip
    assert "No results" in told
