"""The environment of each part, which names the files of its secrets and holds none."""

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.platform.ports import LOOPBACK, Ports
from local.platform.state import StateFolder
from vonggac.auth.keys import JWKS, REPORTING_SEAL, WORKERS_PRIVATE, WORKERS_PUBLIC

RECORD_KEEPERS = ("inventory", "reporting")
WORKERS = ("prober", "forwarder")
SERVICES = (*RECORD_KEEPERS, *WORKERS)
SERVED = ("inventory", "prober")
"""Who must know where centres pull: one states it, the other checks it."""
PAGES = ("console", "issuer")
"""The web pages, and who signs people in for them."""
MODULES = {"issuer": "local.issuer"}
"""What `python -m` runs, where that is not the part's own name."""
VERIFY_INTERVAL_S = 10
"""Shorter than elsewhere: a fault set in the simulator must show soon."""
MAX_DELAY_S = 10
"""On one machine no media is delayed for longer; a wrong picture is recognised after about as long."""


@dataclass(frozen=True, slots=True)
class DatabaseLogin:
    """The URL of a service's database without the password, and the file with it."""

    url: str
    password_file: Path


def of_service(
    service: str,
    *,
    state: StateFolder,
    ports: Ports,
    databases: Mapping[str, DatabaseLogin],
    allowed: tuple[str, ...],
    denied: tuple[str, ...] = (),
    nats_store_bytes: int | None = None,
) -> dict[str, str]:
    """Build the variables of one service; `allowed` are the networks (CIDR) of cameras, destinations and receivers.

    `denied`: endpoints in them that are the platform's own.
    `nats_store_bytes`: what the streams may take, as was stated to the server.
    """
    keys = state.keys.absolute()
    values = {
        "HOST": LOOPBACK,
        "PORT": str(getattr(ports, service)),
        "NATS_URL": f"nats://{LOOPBACK}:{ports.nats}",
        "NATS_USER": service,
        "NATS_PASSWORD_FILE": str(state.nats_password(service).absolute()),
        "JWKS_FILE": str(keys / JWKS),
    }
    if nats_store_bytes is not None:
        values["NATS_STORE_BYTES"] = str(nats_store_bytes)
    if service in RECORD_KEEPERS:
        values["DATABASE_URL"] = databases[service].url
        values["DATABASE_PASSWORD_FILE"] = str(databases[service].password_file.absolute())
    if service == "inventory":
        values["WORKERS_PUBLIC_KEY_FILE"] = str(keys / WORKERS_PUBLIC)
        values["FACILITY_LINK_PAGE"] = f"http://{LOOPBACK}:{ports.console}/f"
    if service in WORKERS:
        values["WORKERS_PRIVATE_KEY_FILE"] = str(keys / WORKERS_PRIVATE)
    if service == "reporting":
        values["SECRETS_KEY_FILE"] = str(keys / REPORTING_SEAL)
    values["ALLOWED_NETWORKS"] = json.dumps(allowed)
    values["DENIED_ENDPOINTS"] = json.dumps(denied)
    if service in SERVED:
        values["SERVED_ADDRESSES"] = served_address(ports)
    if service == "forwarder":
        values["SERVE_HOST"], values["SERVE_PORT"] = LOOPBACK, str(ports.served)
    if service == "prober":
        values["VERIFY_INTERVAL_S"] = str(VERIFY_INTERVAL_S)
        values["MAX_DELAY_S"] = str(MAX_DELAY_S)
    return _prefixed(service, values)


def served_address(ports: Ports) -> str:
    """Where centres on this machine pull: without TLS, which loopback needs as little as the other parts do."""
    return f"rtsp://{LOOPBACK}:{ports.served}"


def served_at(host: str | None, ports: Ports) -> tuple[dict[str, str], tuple[str, ...]]:
    """Build the variables that have centres pull at this machine's address `host`, not at loopback, and its network."""
    if host is None:
        return {}, ()
    address = f"rtsp://{f'[{host}]' if ':' in host else host}:{ports.served}"
    variables = {"VONGGAC_FORWARDER_SERVE_HOST": host}
    variables |= {f"VONGGAC_{service.upper()}_SERVED_ADDRESSES": address for service in SERVED}
    return variables, (str(ipaddress.ip_network(host)),)


def of_pages(name: str, *, state: StateFolder, ports: Ports, nats_store_bytes: int | None = None) -> dict[str, str]:
    """Build the variables of the console, or of the embedded issuer that signs people in for it on this machine."""
    values = {
        "HOST": LOOPBACK,
        "PORT": str(getattr(ports, name)),
        "INVENTORY_URL": f"http://{LOOPBACK}:{ports.inventory}",
    }
    console, issuer = (f"http://{LOOPBACK}:{port}" for port in (ports.console, ports.issuer))
    if name == "issuer":
        return _prefixed(name, {**values, "KEYS": str(state.keys.absolute()), "CONSOLE_URL": console})
    values |= {
        "BASE_URL": console,
        "OIDC_ISSUER": issuer,
        "REPORTING_URL": f"http://{LOOPBACK}:{ports.reporting}",
        "PROBER_URL": f"http://{LOOPBACK}:{ports.prober}",
        "FORWARDER_URL": f"http://{LOOPBACK}:{ports.forwarder}",
        "NATS_URL": f"nats://{LOOPBACK}:{ports.nats}",
        "NATS_USER": name,
        "NATS_PASSWORD_FILE": str(state.nats_password(name).absolute()),
    }
    if nats_store_bytes is not None:
        values["NATS_STORE_BYTES"] = str(nats_store_bytes)
    return _prefixed(name, values)


def of_simulator(*, state: StateFolder, ports: Ports) -> dict[str, str]:
    """Build the simulator's variables: the demo's cameras and centres, on ports that stay the same."""
    values = {
        "HOST": LOOPBACK,
        "PORT": str(ports.simulator),
        "RTSP_HOST": LOOPBACK,
        "DEMO_BASE_PORT": str(ports.rtsp_base),
        "CACHE_FOLDER": str(state.simulator.absolute()),
        "PULLING_FOLDER": str(state.pulling.absolute()),
    }
    return _prefixed("simulator", values)


def _prefixed(service: str, values: Mapping[str, str]) -> dict[str, str]:
    return {f"VONGGAC_{service.upper()}_{name}": value for name, value in values.items()}
