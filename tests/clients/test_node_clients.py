"""Tools of npm: spectral finds nothing in the documents, and a client by @hey-api/openapi-ts walks the services."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.clients.conftest import Services
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


def test_a_typescript_client_walks_the_services(services: Services, tmp_path: Path) -> None:
    generator = node_tool("openapi-ts")
    for service in SERVICES:
        run(generator, "-i", document(service), "-o", tmp_path / service, "--silent")
    (tmp_path / "walk.ts").write_text((HERE / "walk.ts").read_text("utf-8") + "export {};\n", "utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    (tmp_path / "tsconfig.json").write_text(json.dumps(TSCONFIG), "utf-8")
    run(node_tool("tsc"), "-p", tmp_path)
    where = services.addresses
    walk = tmp_path / "out/walk.js"
    found = json.loads(run("node", walk, where["prober"], where["forwarder"], where["reporting"], TOKEN=services.token))
    assert len(found["walked"]) == len(set(found["walked"])) == found["total"] > 0
    assert found["missing"] == [404, "delivery_unknown"]
    assert found["wrong"] == [422, "limit"]
    assert (found["unchanged"], found["cancelled"]) == (304, 404)
    assert found["lines"] > 2
