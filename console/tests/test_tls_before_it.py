"""nginx before the console of docker-compose.yml: TLS, one origin, streams as they come, nothing for machines."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from local.commands.nats_certificate import ensure_certificate
from vonggac.embedded import free_port

FOLDER = Path(__file__).parents[2] / "deploy" / "nginx"
NGINX = shutil.which("nginx")
pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(NGINX is None, reason="no nginx: install Debian's package nginx-light"),
]


class Console(BaseHTTPRequestHandler):
    """What it was asked, in its answer; `/live` writes one event and stays."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        asked = (self.path, self.headers["Host"], self.headers["X-Forwarded-For"])
        self.wfile.write(f"data: {asked}\n\n".encode())
        if self.path == "/live":
            self.wfile.flush()
            self.connection.settimeout(30)
            self.connection.recv(1)

    def log_request(self, *_of: object) -> None:
        """Print nothing."""


@pytest.fixture
def upstream() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Console)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def https(upstream: int, tmp_path: Path) -> Iterator[httpx.Client]:
    """A browser of that address, which trusts its certificate."""
    assert NGINX is not None
    port = free_port()
    made = ensure_certificate(tmp_path / "tls", ("localhost",))
    text = (FOLDER / "console.conf").read_text("utf-8")
    for stated, here in (
        ("http://console:8080", f"http://127.0.0.1:{upstream}"),
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("/tmp/", f"{tmp_path}/"),
        ("/certificates/", f"{tmp_path}/tls/"),
    ):
        assert stated in text
        text = text.replace(stated, here)
    (tmp_path / "nginx.conf").write_text(text, "utf-8")
    (tmp_path / "resolver.conf").write_text("resolver 127.0.0.1;\n", "utf-8")
    running = subprocess.Popen([NGINX, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path), "-g", "daemon off;"])
    (tmp_path / "ca.crt").write_text(made.authority, "utf-8")
    trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    try:
        _wait_for(port, running)
        with httpx.Client(base_url=f"https://localhost:{port}", verify=trusted, trust_env=False) as client:
            yield client
    finally:
        running.terminate()
        running.wait(10)


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    while running.poll() is None:
        with closing(socket.socket()) as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
    pytest.fail(f"nginx ended with {running.returncode}")


def test_a_page_comes_by_tls_with_its_host_and_caller(https: httpx.Client) -> None:
    page = https.get("/facilities?q=a")
    assert page.text.strip() == f"data: {('/facilities?q=a', https.base_url.netloc.decode(), '127.0.0.1')}"
    assert "nginx/" not in page.headers["server"]


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/livez", "/metrics/", "/%6detrics"])
def test_what_is_for_machines_is_not_reached(https: httpx.Client, path: str) -> None:
    assert https.get(path).status_code == 404


def test_an_event_goes_out_as_it_comes(https: httpx.Client) -> None:
    with https.stream("GET", "/live", timeout=10) as stream:
        assert next(stream.iter_lines()).startswith("data: ('/live'")


def test_without_a_certificate_it_says_where_it_belongs(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", str(FOLDER / "start.sh")],
        env={"CERTIFICATES_FOLDER": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"refused to start: {tmp_path}/tls.crt is missing" in done.stderr
