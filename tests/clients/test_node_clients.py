"""Tools of npm: spectral finds nothing in the documents, and a client by @hey-api/openapi-ts walks the services."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.clients.conftest import Services
from tests.clients.generated import HERE, SERVICES, document, node_tool

pytestmark = [pytest.mark.timeout(420), pytest.mark.server, pytest.mark.slow]

TSCONFIG = {
    "compilerOptions": {
        "target": "es2022", "module": "commonjs", "moduleResolution": "node10", "outDir": "out", "strict": True,
        "noUncheckedIndexedAccess": True, "skipLibCheck": True, "lib": ["es2022", "dom", "dom.iterable"], "types": [],
    },
    "include": ["walk.ts"],
}  # fmt: skip


def _heavy(service: str) -> Sequence[pytest.MarkDecorator]:
    """Spectral takes minutes for the document of the register, and seconds for the others."""
    return [pytest.mark.weekly] if service == "inventory" else []


def run(*command: str | Path, cwd: Path = HERE, **environment: str) -> str:
    ran = subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
        env={**os.environ, **environment, "NO_COLOR": "1"},
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return ran.stdout


@pytest.mark.parametrize("service", [pytest.param(one, marks=_heavy(one)) for one in SERVICES])
def test_spectral_has_nothing_to_say(service: str) -> None:
    output = run(
        node_tool("spectral"),
        "lint",
        "--fail-severity=hint",
        "--display-only-failures",
        "-r",
        HERE / "spectral.yaml",
        document(service),
    )
    assert "No results" in output


@pytest.mark.weekly
def test_a_typescript_client_walks_the_four_services(services: Services, inventory: str, tmp_path: Path) -> None:
    """Create, read, change, 404, 409, 410, 412, 422, 428, paging, downloads: see typescript/walk.ts."""
    make, compile_ = node_tool("openapi-ts"), node_tool("tsc")
    for service in SERVICES:
        run(make, "-i", document(service), "-o", tmp_path / service, "-c", "@hey-api/client-fetch", cwd=tmp_path)
    shutil.copy(HERE / "typescript/walk.ts", tmp_path)
    (tmp_path / "tsconfig.json").write_text(json.dumps(TSCONFIG), "utf-8")
    run(compile_, "-p", tmp_path, cwd=tmp_path)
    addresses = {**services.addresses, "inventory": inventory}
    environment = {service.upper(): address for service, address in addresses.items()}
    output = run("node", tmp_path / "out/walk.js", cwd=tmp_path, TOKEN=services.token, **environment)
    assert output.splitlines()[-1] == "walked"
