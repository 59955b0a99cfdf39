"""Writes the generated pages: `python docs/generate.py [--check]`, run from the repository's root.

- `docs/reference/signals.md`: every log event and metric, from the "Signals" section of each package's README;
- `docs/reference/settings.md`: every setting, read from the settings classes;
- `docs/reference/causes.md`: every cause with its detection and advice, from `vonggac.events.advice`;
- `docs/reference/states.md`: every state machine of the register, from the tables in `inventory.domain`, and the states
  of deliveries;
- `docs/reference/permissions.md`: which right every route needs, from `vonggac.auth.policy`;
- `docs/reference/data-dictionary.md`: every table for analysts and its columns, from `reporting.tables.catalogue`;
- `services/<service>/src/<service>/api/openapi.json`: each service's HTTP API;
- `deploy/k8s/vonggac/files/nats/nats.conf`: the NATS server's configuration, from `vonggac.bus.declared.accounts`.

`--check` writes nothing and exits 1 naming what is stale.
"""

import argparse
import base64
import importlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nacl.public import PrivateKey
from pydantic_settings import BaseSettings

from inventory.domain.states import render_markdown, render_mermaid
from inventory.nouns.registry import NOUNS
from reporting.tables.package import data_dictionary
from vonggac.auth.policy.page import permissions_page
from vonggac.bus.declared import accounts
from vonggac.events.advice import ADVICE
from vonggac.events.forwarder import DeliveryState
from vonggac.settings import describe

SERVICES = ("inventory", "prober", "forwarder", "reporting")
PACKAGES = {
    "shared": "The library",
    **{name: name.capitalize() for name in SERVICES},
    "simulator": "Simulator",
    "console": "Console",
}
SIGNALS_INTRODUCTION = """\
Every log event and every metric: what it means and what to do. Logs are one JSON object a line on standard error
(`event`, `level`, `service`, `timestamp`, and the event's fields); metrics are served at `/metrics`. This page is
generated from the section "Signals" of each package's README: edit there, read here."""
SIGNALS_SOURCE = "Source of {page}, the one page to read: edit here, then `make generate`."
"""First line of each README's section "Signals"; `{page}` is the link to the page."""
SETTINGS_INTRODUCTION = """\
Every setting is an environment variable. A bad value stops the start and is named; a variable that has the prefix of a
service and is no setting is logged (`setting_unknown`)."""
CAUSES_INTRODUCTION = """\
Why a camera or a delivery is not as it should be: the closed list of every event, API, metric and report. Which of them
make a camera `down` and which are findings beside `up`:
[decisions/0009](../decisions/0009-which-findings-make-a-camera-down.md)."""
STATES_INTRODUCTION = """\
What has a `status`, and where it may go from each. `POST /v1/<noun>/{id}/transitions` moves it; what the table does not
have is refused with 409 and the list of what is allowed, a condition that does not hold with 409 and its name, a
missing reason with 422."""
DELIVERIES_INTRODUCTION = """\
Where one camera stands at one centre, as its forwarder says it: `state` and `cause` in its API, its events and in
reporting. No state claims more than what was observed; nobody sets one by hand. A centre that is pushed to and one that
pulls have the same words; who can end it that a centre receives nothing is its `responsibility`
([decision 0146](../decisions/0146-we-play-what-a-centre-is-to-pull.md))."""
DELIVERY_STATES = {
    DeliveryState.DISABLED: (
        "đã tắt",
        "The plan leaves it out.",
    ),
    DeliveryState.WAITING_FOR_CAMERA: (
        "chờ camera",
        "There is no picture to give; the cause is the camera's.",
    ),
    DeliveryState.WAITING_FOR_CENTRE: (
        "chờ trung tâm lấy hình",
        (
            "A centre that pulls has no session. `not_asked`: it never asked since the worker has held the "
            "camera; `left`: it had a session, and that ended; `ended`: a change of workers ended it, less than a "
            "minute ago; `refused`: it asks, and `refused_for` says why"
            " it is refused."
        ),
    ),
    DeliveryState.CONNECTING: (
        "đang kết nối",
        "A session is being opened; of a centre that pulls: PLAY is answered, and it has acknowledged nothing yet.",
    ),
    DeliveryState.SENDING: (
        "đang gửi",
        "Media goes out, and nothing says that it arrives: over UDP without receiver reports it stays so.",
    ),
    DeliveryState.ACKNOWLEDGED: (
        "trung tâm xác nhận gói tin",
        "The centre's own machine acknowledges media (TCP), or its receiver reports do (UDP), and goes on to do so.",
    ),
    DeliveryState.VERIFIED: (
        "đã chứng minh nhận được",
        "A picture of this session was lately read back from the centre, bit for bit.",
    ),
    DeliveryState.MISMATCH: (
        "trung tâm phát sai hình",
        "The centre plays another picture, or an old one.",
    ),
    DeliveryState.STALLED: (
        "bị đình trệ",
        "The centre takes nothing. A centre that pulls: its session was ended, and it has not asked again.",
    ),
    DeliveryState.BACKING_OFF: (
        "đang thử lại",
        "An attempt failed, and the next one waits. A centre that pulls has no such state: nothing of ours dials.",
    ),
    DeliveryState.REFUSED: (
        "bị từ chối đăng nhập",
        "The centre refuses our login.",
    ),
    DeliveryState.STOPPED: (
        "người dừng",
        "A person stopped it.",
    ),
    DeliveryState.RELEASED: (
        "đã chuyển tiến trình",
        "The worker gave the camera to another one, which says what follows.",
    ),
}
"""Of a delivery: its name in Vietnamese, and its meaning."""
GENERATED = "<!-- Generated by docs/generate.py; edit the sources it names, then run `make generate`. -->"


def readme_of(package: str) -> Path:
    """Where a package's README lies."""
    return Path("services") / package / "README.md" if package in SERVICES else Path(package) / "README.md"


def section(markdown: str, heading: str) -> str:
    """The text under `## heading`, without the heading. Raises ValueError when there is none."""
    _, found, rest = markdown.partition(f"\n## {heading}\n")
    if not found:
        msg = f"no section '## {heading}'"
        raise ValueError(msg)
    return rest.partition("\n## ")[0].strip()


def signals() -> str:
    """The page of all log events and metrics. Raises ValueError when a README does not name the page."""
    parts = [
        "# Signals",
        GENERATED,
        SIGNALS_INTRODUCTION,
    ]
    for package, title in PACKAGES.items():
        readme = readme_of(package)
        first, _, tables = section(readme.read_text("utf-8"), "Signals").partition("\n\n")
        link = "../" * (len(readme.parts) - 1) + "docs/reference/signals.md"
        if first != (expected := SIGNALS_SOURCE.format(page=f"[docs/reference/signals.md]({link})")):
            msg = f"{readme}: the section Signals begins with: {expected}"
            raise ValueError(msg)
        # Links lead from the README to docs/, and are read two folders below the root.
        parts += [f"## {title}", re.sub(r"\]\((?:\.\./)+docs/", "](../../docs/", tables.strip())]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """The page of all settings."""
    parts = [
        "# Settings",
        GENERATED,
        SETTINGS_INTRODUCTION,
    ]
    for package in (*SERVICES, "simulator", "console"):
        parts += [
            f"## {PACKAGES[package]}",
            "| variable | type | default | meaning | set by, when |\n|---|---|---|---|---|",
        ]
        rows = [" | ".join(_cell(text) for text in row) for row in describe(_settings_class(package))]
        parts[-1] += "".join(f"\n| {row} |" for row in rows)
    return "\n\n".join(parts) + "\n"


def causes_page() -> str:
    """The page of all causes."""
    parts = [
        "# Causes",
        GENERATED,
        CAUSES_INTRODUCTION,
        "| cause | detection | xử lý | advice |\n|---|---|---|---|",
    ]
    for cause, advice in ADVICE.items():
        parts[-1] += f"\n| `{cause}` | {_cell(advice.detection)} | {_cell(advice.vi)} | {_cell(advice.en)} |"
    return "\n\n".join(parts) + "\n"


def states_page() -> str:
    """The page of all state machines."""
    parts = ["# States", GENERATED, STATES_INTRODUCTION]
    for noun in NOUNS:
        if noun.machine is not None:
            parts += [f"## {noun.singular.capitalize()} ({noun.vietnamese})", render_markdown(noun.machine)]
            parts.append(f"```mermaid\n{render_mermaid(noun.machine)}\n```")
    rows = [(f"`{state}`", *DELIVERY_STATES[state]) for state in DeliveryState]
    table = "| state | in Vietnamese | means |\n|---|---|---|" + "".join(f"\n| {' | '.join(row)} |" for row in rows)
    parts += ["## Delivery (kết nối tới trung tâm)", DELIVERIES_INTRODUCTION, table]
    return "\n\n".join(parts) + "\n"


def openapi(service: str) -> str:
    """A service's OpenAPI document."""
    with tempfile.TemporaryDirectory() as folder:
        prefix = f"VONGGAC_{service.upper()}_"
        key = Path(folder) / "key"
        key.write_text(base64.b64encode(bytes(PrivateKey.generate())).decode(), "ascii")
        given = {
            "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1/none",
            "JWKS_FILE": str(key),
            "WORKERS_PUBLIC_KEY_FILE": str(key),
            "WORKERS_PRIVATE_KEY_FILE": str(key),
            "ALLOWED_NETWORKS": "",
        }
        os.environ.update({prefix + name: value for name, value in given.items()})
        settings = _settings_class(service)()
        app = importlib.import_module(f"{service}.app").create_app(settings)
    document: dict[str, Any] = app.openapi()
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def documents() -> Iterator[tuple[Path, str]]:
    """Every generated file with its content."""
    yield Path("docs/reference/signals.md"), signals()
    yield Path("docs/reference/settings.md"), settings_page()
    yield Path("docs/reference/causes.md"), causes_page()
    yield Path("docs/reference/states.md"), states_page()
    yield Path("docs/reference/permissions.md"), permissions_page(GENERATED)
    yield Path("docs/reference/data-dictionary.md"), data_dictionary(GENERATED)
    yield Path("deploy/k8s/vonggac/files/nats/nats.conf"), accounts.configuration()
    for service in SERVICES:
        yield Path("services") / service / "src" / service / "api" / "openapi.json", openapi(service)


def stale() -> list[Path]:
    """Generated files that are missing or differ from their sources."""
    return [path for path, text in documents() if not path.exists() or path.read_text("utf-8") != text]


def _settings_class(package: str) -> type[BaseSettings]:
    module = importlib.import_module(f"{package}.settings")
    found: type[BaseSettings] = module.SimulatorSettings if package == "simulator" else module.Settings
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    """Write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is stale")
    if parser.parse_args().check:
        if paths := stale():
            raise SystemExit("stale, run `make generate`: " + ", ".join(map(str, paths)))
        return
    for path, text in documents():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
