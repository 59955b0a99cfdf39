"""Clients that others' generators make of the committed OpenAPI documents."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SERVICES = ("inventory", "prober", "forwarder", "reporting")


def document(service: str) -> Path:
    """The service's committed OpenAPI document, which a test of its own keeps fresh."""
    return ROOT / "services" / service / "src" / service / "api" / "openapi.json"


def generate_python(service: str, folder: Path, source: Path | None = None) -> str:
    """Make a Python client of a document in `folder`; its package's name. Fails the test if the generator has warnings.

    The document is at `source`, or is the committed one of the service.

    Those of routes that take files (text/csv) are left out: that generator writes no raw bodies of text.
    """
    package = f"vong_gac_{service}_client"
    beside = Path(sys.executable).parent
    command: list[str | Path] = [
        beside / "openapi-python-client",
        "generate",
        "--meta",
        "none",
        "--path",
        source or document(service),
        "--output-path",
        folder / package,
    ]
    path = f"{beside}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    if service != "inventory":
        assert "arning" not in ran.stdout, ran.stdout
    return package


class PythonClient:
    """A generated package: its functions by operation id, and its client with a token."""

    def __init__(self, package: str, base_url: str, token: str) -> None:
        self.package = package
        made: Any = importlib.import_module(f"{package}.client").AuthenticatedClient
        self.client = made(base_url=base_url, token=token, httpx_args={"trust_env": False})

    def close(self) -> None:
        """Close its connections."""
        self.client.get_httpx_client().close()

    def model(self, module: str, name: str) -> Any:
        """A model class of the package."""
        return getattr(importlib.import_module(f"{self.package}.models.{module}"), name)

    def detailed(self, tag: str, operation: str, *args: Any, **given: Any) -> Any:
        """Call an operation; the answer with its status and headers."""
        module = importlib.import_module(f"{self.package}.api.{tag}.{operation}")
        return module.sync_detailed(*args, client=self.client, **given)

    def call(self, tag: str, operation: str, *args: Any, **given: Any) -> Any:
        """Call an operation; the parsed answer."""
        return (self.detailed(tag, operation, *args, **given)).parsed


def node_tool(name: str) -> str:
    """A tool of package.json, installed where it is missing. Skips the test where npm is missing or cannot install."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("node and npm are missing: the tools of tests/clients/package.json cannot run")
    tool = HERE / "node_modules/.bin" / name
    if not tool.exists():
        ran = subprocess.run(["npm", "ci"], cwd=HERE, capture_output=True, text=True, check=False, timeout=300)
        if ran.returncode != 0:
            pytest.skip(f"npm cannot install tests/clients/package.json here: {ran.stderr[-300:]}")
    return str(tool)
