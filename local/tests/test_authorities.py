"""The images' entry point puts the operator's authorities beside the public ones, for whatever speaks TLS."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import certifi
import pytest

from vonggac.testing.certificates import Authority, ServerCertificate

pytestmark = pytest.mark.server

ENTRY_POINT = Path(__file__).parents[2] / "deploy/docker/entrypoint.sh"
MODULE = "speaks_tls"
PUBLIC = Path(certifi.where()).read_text("utf-8")
PROGRAM = """
import asyncio, os, ssl, sys
import httpx
from vonggac.events.inventory import TlsTrust
from vonggac.net.tls import policy_of

URL = sys.argv[1]

async def opened(context):
    _, writer = await asyncio.open_connection("localhost", httpx.URL(URL).port, ssl=context)
    writer.close()

async def asked(**options):
    async with httpx.AsyncClient(**options) as client:
        await client.get(URL)

WAYS = {
    "public keys": lambda: asked(),
    "webhooks": lambda: asked(trust_env=False, verify=httpx.create_ssl_context()),
    "mail": lambda: opened(ssl.create_default_context()),
    "cameras": lambda: opened(policy_of(None).context),
}
for name, way in WAYS.items():
    try:
        asyncio.run(way())
        print(name, "trusted")
    except (ssl.SSLError, httpx.HTTPError, Exception) as error:
        print(name, type(error).__name__)
print(os.environ.get("REQUESTS_CA_BUNDLE"))
"""


@asynccontextmanager
async def serving(certificate: ServerCertificate) -> AsyncIterator[str]:
    """A server with TLS that answers each request with 204."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1):
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "localhost", 0, ssl=certificate.server_context)
    async with server:
        yield f"https://localhost:{server.sockets[0].getsockname()[1]}/"


async def run(folder: Path, url: str, **variables: str) -> tuple[int, list[str], str]:
    """Exit status, lines and errors of the entry point with a module in the place of a service."""
    (folder / f"{MODULE}.py").write_text(PROGRAM, "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SSL_", "REQUESTS_", "VONGGAC_"))}
    given = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
        "TMPDIR": str(folder),
        "VONGGAC_IMAGE": MODULE,
        "VONGGAC_PUBLIC_CA_FILE": certifi.where(),
    }
    child = await asyncio.create_subprocess_exec(
        "/bin/sh",
        str(ENTRY_POINT),
        url,
        env={**kept, **given, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, errors = await child.communicate()
    assert child.returncode is not None
    return child.returncode, said.decode().splitlines(), errors.decode()


async def test_an_authority_of_the_operator_is_trusted_by_whatever_speaks_tls(tmp_path: Path) -> None:
    authority = Authority()
    (tmp_path / "ca.crt").write_text(authority.pem.rstrip("\n"), "ascii")
    async with serving(authority.issue("localhost")) as url:
        status, lines, errors = await run(tmp_path, url, VONGGAC_EXTRA_CA_FILE=str(tmp_path / "ca.crt"))
        assert status == 0, errors
        bundle = tmp_path / "authorities.crt"
        assert lines == ["public keys trusted", "webhooks trusted", "mail trusted", "cameras trusted", str(bundle)]
        assert bundle.read_text("utf-8").startswith(PUBLIC), "public authorities stay trusted"
        _, lines, _ = await run(tmp_path, url)
        assert [line for line in lines if line.endswith(" trusted")] == []
        assert lines[-1] == "None"


async def test_another_authority_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(Authority().pem, "ascii")
    async with serving(Authority().issue("localhost")) as url:
        _, lines, _ = await run(tmp_path, url, VONGGAC_EXTRA_CA_FILE=str(tmp_path / "ca.crt"))
    assert [line for line in lines if line.endswith(" trusted")] == []


@pytest.mark.parametrize("content", [None, "", "no certificate"])
async def test_a_file_without_a_certificate_ends_the_start_by_its_name(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content, "ascii")
    status, lines, errors = await run(tmp_path, "https://localhost/", VONGGAC_EXTRA_CA_FILE=str(file))
    assert (status, lines) == (1, [])
    assert f"VONGGAC_EXTRA_CA_FILE: {file} has no certificate" in errors
