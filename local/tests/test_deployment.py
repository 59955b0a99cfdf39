"""What the compose file and the local platform set for the services is what the services read."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from pydantic import ValidationError
from pydantic_settings import BaseSettings

import console.settings
import forwarder.settings
import inventory.settings
import prober.settings
import reporting.settings
import simulator.settings
from local.platform import environment
from local.platform.platform import MIGRATE_WITHIN_S
from local.platform.ports import Ports
from local.platform.state import StateFolder
from vonggac.bus.declared.accounts import configuration, passwords
from vonggac.bus.declared.permissions import USERS
from vonggac.embedded import PostgresServer, free_port
from vonggac.embedded.nats import MEMORY, nats_server_binary
from vonggac.settings import describe
from vonggac.settings.served_addresses import check_served_addresses

ROOT = Path(__file__).parents[2]
NATS = "deploy/k8s/vonggac/files/nats"
"""What the chart, compose and the embedded server run NATS with."""
SETTINGS: dict[str, type[BaseSettings]] = {
    "inventory": inventory.settings.Settings,
    "prober": prober.settings.Settings,
    "forwarder": forwarder.settings.Settings,
    "reporting": reporting.settings.Settings,
    "simulator": simulator.settings.SimulatorSettings,
    "console": console.settings.Settings,
}


def test_a_migration_here_is_given_as_long_as_in_a_cluster() -> None:
    """One that is ended half-way is rolled back and begins anew at the next start."""
    values = yaml.safe_load((ROOT / "deploy/k8s/vonggac/values.yaml").read_text("utf-8"))
    assert values["jobs"]["withinSeconds"] <= MIGRATE_WITHIN_S


def known(service: str) -> set[str]:
    return {variable for variable, *_ in describe(SETTINGS[service])}


def required(service: str) -> set[str]:
    return {setting.variable for setting in describe(SETTINGS[service]) if setting.default == "required"}


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8")))


@pytest.mark.parametrize("service", SETTINGS)
def test_compose_sets_what_the_service_needs_and_nothing_it_does_not_know(service: str) -> None:
    given = set(compose()["services"][service].get("environment", {}))
    assert given <= known(service)
    assert required(service) <= given


@pytest.mark.parametrize("service", environment.SERVICES)
def test_the_local_platform_sets_what_the_service_needs(tmp_path: Path, service: str) -> None:
    databases = {
        name: environment.DatabaseLogin(f"postgresql+psycopg://u@h/{name}", tmp_path / name)
        for name in environment.RECORD_KEEPERS
    }
    given = environment.of_service(
        service, state=StateFolder(tmp_path), ports=Ports(), databases=databases, allowed=("127.0.0.0/8",)
    )
    assert set(given) <= known(service)
    assert required(service) <= set(given)


def test_the_local_platform_sets_only_what_the_simulator_knows(tmp_path: Path) -> None:
    assert set(environment.of_simulator(state=StateFolder(tmp_path), ports=Ports())) <= known("simulator")


def test_only_workers_get_the_private_key(tmp_path: Path) -> None:
    for service, container in compose()["services"].items():
        mounted = any("keys-workers" in volume for volume in container.get("volumes", []))
        assert mounted == (service in {*environment.WORKERS, "served", "secrets"}), service


def test_only_reporting_gets_the_key_that_opens_its_secrets() -> None:
    for service, container in compose()["services"].items():
        mounted = any("keys-reporting" in volume for volume in container.get("volumes", []))
        assert mounted == (service in {"reporting", "secrets"}), service


def test_each_container_gets_its_own_logins_alone() -> None:
    for service, container in compose()["services"].items():
        mounted = [volume for volume in container.get("volumes", []) if volume.startswith("login-")]
        if service == "secrets":
            assert {volume.partition(":")[0] for volume in mounted} == {
                name for name in compose()["volumes"] if name.startswith("login-")
            }
        else:
            # Whoever declares the streams again is the one that declared them; the demo has one forwarder more.
            others = {"restore": "backup", "streams": "setup", "served": "forwarder"}
            own = others.get(service, service.removeprefix("migrate-").removesuffix("-password"))
            assert all(volume.startswith(f"login-{own}:") and volume.endswith(":ro") for volume in mounted), service


def test_the_simulator_and_the_demo_have_no_login_at_nats() -> None:
    for service in ("simulator", "demo", "truth", "token"):
        container = compose()["services"][service]
        assert "login-" not in str(container.get("volumes"))
        assert "NATS" not in str(container)


def test_compose_and_the_embedded_server_use_the_same_nats_configuration() -> None:
    nats = compose()["services"]["nats"]
    assert "./deploy/k8s/vonggac/files/nats/nats.conf:/etc/nats/nats.conf:ro" in nats["volumes"]
    assert "./deploy/nats/place-compose.conf:/etc/nats/place.conf:ro" in nats["volumes"]
    assert nats["entrypoint"] == ["/bin/sh", "/etc/nats/start.sh"], "which takes /etc/nats/nats.conf"
    store = "${NATS_STORE_BYTES:-20000000000}"
    assert nats["environment"] == {"GOMEMLIMIT": f"${{NATS_MEMORY_LIMIT:-{MEMORY}}}", "NATS_STORE_BYTES": store}
    assert (ROOT / NATS / "nats.conf").read_text("utf-8") == configuration()
    place = (ROOT / "deploy" / "nats" / "place-compose.conf").read_text("utf-8")
    assert 'http: "127.0.0.1:8222"' in place, "monitoring tells of subjects and connections"
    assert "no_auth_user" not in place
    assert "./deploy/k8s/vonggac/files/nats/healthcheck.sh:/etc/nats/healthcheck.sh:ro" in nats["volumes"]
    assert nats["healthcheck"]["test"] == ["CMD", "/bin/sh", "/etc/nats/healthcheck.sh"]
    assert "\nSTORE_BYTES: $NATS_STORE_BYTES\n" in place
    for service in environment.SERVICES:
        stated = compose()["services"][service]["environment"][f"VONGGAC_{service.upper()}_NATS_STORE_BYTES"]
        assert stated == store


@pytest.mark.server
def test_the_configuration_of_compose_is_taken_by_the_server(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "passwords.conf").write_text(passwords({user.name: "p" for user in USERS}), "utf-8")
    for name, source in (
        ("nats.conf", f"{NATS}/nats.conf"),
        ("place.conf", "deploy/nats/place-compose.conf"),
    ):
        (tmp_path / name).write_bytes((ROOT / source).read_bytes())
    checked = subprocess.run(
        [nats_server_binary(), "-t", "-c", str(tmp_path / "nats.conf")],
        capture_output=True,
        text=True,
        env={"NATS_STORE_BYTES": "20000000000"},
    )
    assert checked.returncode == 0, checked.stderr


@pytest.fixture
def database_server(servers_folder: Path) -> Iterator[PostgresServer]:
    """A new cluster as the PostgreSQL container makes one: a superuser and nothing else."""
    server = PostgresServer(servers_folder / "compose-postgres", free_port(), durable=False)
    server.start()
    yield server
    server.stop()


@pytest.mark.server
def test_compose_makes_plain_roles_with_passwords_of_any_characters(
    database_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = {"inventory": "5% q'uo\"t@ :/?#$\\é", "reporting": "another ' one"}
    for role, password in passwords.items():
        (tmp_path / f"{role}.password").write_text(password + "\n", "utf-8")
    monkeypatch.setenv("LOGIN_FOLDER", str(tmp_path))
    database_server._psql("postgres", (ROOT / "deploy" / "docker" / "databases.sql").read_text("utf-8"))
    for role, password in passwords.items():
        login: dict[str, Any] = {"host": "127.0.0.1", "port": database_server.port, "user": role, "password": password}
        with psycopg.connect(**login, dbname=role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("copy (select 1) to program 'true'")
        other = next(name for name in passwords if name != role)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(**login, dbname=other)


def test_compose_states_no_password() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert "POSTGRES_PASSWORD:" not in text
    assert [line for line in text.splitlines() if "PASSWORD" in line and not re.search("PASSWORD_+FILE", line)] == []
    assert compose()["services"]["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"] == "/login/superuser.password"


def test_every_container_of_ours_runs_without_privileges() -> None:
    for name, container in compose()["services"].items():
        if container["image"].startswith("vonggac-"):
            assert container["read_only"] is True, name
            assert container["cap_drop"] == ["ALL"], name
            assert container["security_opt"] == ["no-new-privileges:true"], name
    assert "\nUSER 10001:10001\n" in (ROOT / "deploy" / "docker" / "Dockerfile").read_text("utf-8")


def test_ports_are_published_on_this_machine_alone() -> None:
    published = [port for container in compose()["services"].values() for port in container.get("ports", [])]
    assert published
    stated = [re.sub(r"\$\{\w+_ADDRESS:-([^}]*)\}", r"\1", port) for port in published]
    assert [port for port in stated if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("given", [{}, {"VONGGAC_CONSOLE_BASE_URL": "https://vonggac.example"}])
def test_the_console_of_compose_refuses_to_start_without_a_provider(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the container starts it: on every address."""
    stated = compose()["services"]["console"]["environment"]
    default = re.sub(r"\$\{CONSOLE_URL:-([^}]*)\}", r"\1", stated["VONGGAC_CONSOLE_BASE_URL"])
    for name, value in {"VONGGAC_CONSOLE_HOST": "0.0.0.0", "VONGGAC_CONSOLE_BASE_URL": default, **given}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match="set VONGGAC_CONSOLE_OIDC_ISSUER to the address of the OIDC provider"):
        console.settings.Settings()
    monkeypatch.setenv("VONGGAC_CONSOLE_OIDC_ISSUER", "https://login.example")
    assert console.settings.Settings().secure


def test_the_console_of_compose_is_reached_by_tls_alone() -> None:
    services = compose()["services"]
    assert "ports" not in services["console"]
    assert services["console"]["profiles"] == services["https"]["profiles"] == ["console"]
    assert [port.rpartition(":")[2] for port in services["https"]["ports"]] == ["8443"]


def test_no_fixed_port_keeps_workers_from_being_scaled() -> None:
    """Those of centres that pull are free ones too, until an operator states them."""
    published = {service: compose()["services"][service]["ports"] for service in environment.WORKERS}
    assert published["prober"] == ["127.0.0.1::8080"]
    stated = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", port) for port in published["forwarder"]]
    assert stated == ["127.0.0.1::8080", "127.0.0.1::8322", "127.0.0.1::8554"]


@pytest.mark.server
def test_centres_that_pull_are_served_as_the_page_for_operators_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of .env on that page, read by the forwarder and by inventory."""
    page = (ROOT / "docs/operations/centres-that-pull.md").read_text("utf-8")
    lines = dict(re.findall(r"^(VONGGAC_\w+|SERVED_\w+)=(\S+)$", page, re.MULTILINE))
    given = compose()["services"]["forwarder"]["environment"]
    for name, value in lines.items():
        if name.startswith("VONGGAC_FORWARDER_"):
            assert given[name] is None, "passed on"
            monkeypatch.setenv(name, value)
    key = tmp_path / "workers.key"
    for name in required("forwarder"):
        monkeypatch.setenv(name, "10.9.0.0/16" if name.endswith("NETWORKS") else str(key))
    read = forwarder.settings.Settings()
    inside = [port.rpartition(":")[2] for port in compose()["services"]["forwarder"]["ports"]]
    assert str(read.serve_tls_port) in inside
    certificate = read.serve_tls_certificate_file
    assert certificate is not None
    mounted = [volume.split(":")[-2] for volume in compose()["services"]["forwarder"]["volumes"]]
    assert str(certificate.parent) in mounted
    addresses = check_served_addresses((lines["VONGGAC_INVENTORY_SERVED_ADDRESSES"],))
    assert addresses == (f"rtsps://giam-sat.example:{lines['SERVED_TLS_PORT']}",)


def test_the_prober_of_compose_checks_the_addresses_that_inventory_states(monkeypatch: pytest.MonkeyPatch) -> None:
    service = compose()["services"]["prober"]
    stated = service["environment"]["VONGGAC_PROBER_SERVED_ADDRESSES"]
    assert stated == "${VONGGAC_INVENTORY_SERVED_ADDRESSES:-}"
    for name in required("prober"):
        monkeypatch.setenv(name, "10.9.0.0/16")
    page = (ROOT / "docs/operations/centres-that-pull.md").read_text("utf-8")
    [authority] = re.findall(r"VONGGAC_PROBER_SERVED_CA_FILE=([\w./]+)", page)
    mounted = [volume.split(":")[-2] for volume in service["volumes"]]
    assert str(Path(authority).parent) in mounted
    monkeypatch.setenv("VONGGAC_PROBER_SERVED_ADDRESSES", "")
    assert prober.settings.Settings().served_addresses == (), "until .env says so"


def test_the_dockerfile_copies_every_package_of_the_workspace() -> None:
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]["workspace"]["members"]
    members = {path.relative_to(ROOT) for pattern in workspace for path in ROOT.glob(f"{pattern}/pyproject.toml")}
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text("utf-8")
    assert [str(path) for path in members if f"COPY {path} {path.parent}/\n" not in dockerfile] == []


def test_the_demo_of_compose_has_a_centre_that_pulls_where_nobody_else_can() -> None:
    """Only the demo has that listener, only beside its cameras; nothing of it is published on this machine."""
    services = compose()["services"]
    served, demo = services["served"], services["demo"]
    assert set(served["profiles"]) == set(demo["profiles"])
    own = {"VONGGAC_FORWARDER_SERVE_PORT": "8554"}
    assert served["environment"] == services["forwarder"]["environment"] | own
    assert served["ports"] == ["127.0.0.1::8080"]
    options = dict(word.removeprefix("--").split("=", 1) for word in demo["command"] if word.startswith("--"))
    [alias] = served["networks"]["cameras"]["aliases"]
    assert options["served-at"] == f"rtsp://{alias}:8554"
    [network] = compose()["networks"]["cameras"]["ipam"]["config"]
    assert options["pulled-from"] == network["subnet"]
    assert "cameras" in services["simulator"]["networks"]
    assert "served" in demo["depends_on"]
