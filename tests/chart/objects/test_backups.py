"""Backups in the cluster: a CronJob with no more than it needs, a volume that stays, and a Job that restores."""

import pytest
from tests.chart.rendering import (
    CHART,
    Json,
    RefusedValuesError,
    component_of,
    manifests,
    merged,
    minimal,
    one,
    rendered,
    values_of,
)

from local.__main__ import _parser

pytestmark = pytest.mark.server
ON = {"backup": {"enabled": True}}
INSTALLATIONS = [
    minimal(**ON),
    merged(values_of(CHART / "ci/external-everything-values.yaml"), ON),
    minimal(postgresql={"host": "", "cloudnativepg": {"enabled": True}}, **ON),
]
each = pytest.mark.parametrize("values", INSTALLATIONS, ids=["bundled", "external", "cloudnativepg"])


def pod_of(objects: list[Json], kind: str) -> Json:
    """The pod template of the CronJob, or of the Job that restores."""
    [found] = [thing for thing in objects if thing["kind"] == kind and component_of(thing) in {"backup", "restore"}]
    spec = found["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else found["spec"]
    return dict(spec["template"])


def files_of(pod: Json) -> set[str]:
    """Every file that its volumes bring, by its whole path."""
    [container] = pod["spec"]["containers"]
    where = {
        mount["name"]: mount["mountPath"].removesuffix(f"/{mount.get('subPath')}")
        for mount in container["volumeMounts"]
    }
    found = set()
    for volume in pod["spec"]["volumes"]:
        found |= {f"{where[volume['name']]}/{item['path']}" for item in volume.get("secret", {}).get("items", [])}
    return found


@each
def test_a_backup_names_only_what_is_there(values: Json) -> None:
    pod = pod_of(manifests(values), "CronJob")
    [container] = pod["spec"]["containers"]
    arguments = _parser().parse_args(container["args"])
    assert (str(arguments.to), arguments.keep_days) == ("/backups/vonggac", 14)
    files = files_of(pod)
    for name in ("inventory.password", "reporting.password", "nats.password"):
        assert f"{arguments.logins}/{name}" in files
    assert f"{arguments.keys}/workers.pub" in files
    if arguments.nats_ca_file is not None:
        assert str(arguments.nats_ca_file) in files
    for variable in container["env"]:
        address = variable["value"]
        assert address.startswith("postgresql+psycopg://")
        if "sslrootcert" in address:
            assert address.partition("sslrootcert=")[2] in files


@each
def test_a_backup_has_no_key_that_opens_what_is_sealed(values: Json) -> None:
    files = {path.rpartition("/")[2] for path in files_of(pod_of(manifests(values), "CronJob"))}
    assert files & {"workers.key", "reporting.key", "signing-key.pem", "token", "passwords.conf"} == set()


@each
def test_a_backup_reaches_the_servers_and_nobody_reaches_it(values: Json) -> None:
    objects = manifests(values)
    policy = one(objects, "NetworkPolicy", "demo-vonggac-backup")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    ports = [port["port"] for rule in policy["egress"] for port in rule["ports"]]
    assert ports == [53, 53, 4222, 5433 if values["postgresql"].get("port") else 5432]
    labels = {"app.kubernetes.io/component": "backup"}
    for server in ("nats", "postgresql"):
        found = [thing for thing in objects if thing["metadata"]["name"] == f"demo-vonggac-{server}"]
        for thing in [thing for thing in found if thing["kind"] == "NetworkPolicy"]:
            callers = [
                peer["podSelector"]["matchLabels"]
                for rule in thing["spec"]["ingress"]
                for peer in rule["from"]
                if "podSelector" in peer
            ]
            assert any(labels.items() <= caller.items() for caller in callers), server


def test_it_is_made_only_when_asked_for() -> None:
    assert "backup" not in {component_of(thing) for thing in manifests(minimal())}
    assert {component_of(thing) for thing in manifests(minimal(**ON))} >= {"backup", "backups"}


def test_keep_an_uninstall_leaves_the_backups() -> None:
    objects = manifests(minimal(**ON))
    claim = one(objects, "PersistentVolumeClaim", "demo-vonggac-backups")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert claim["spec"]["resources"]["requests"]["storage"] == "100Gi"
    own = manifests(minimal(backup={"enabled": True, "storage": {"existingClaim": "mine"}}))
    assert [thing for thing in own if thing["kind"] == "PersistentVolumeClaim"] == []
    [volume] = [volume for volume in pod_of(own, "CronJob")["spec"]["volumes"] if volume["name"] == "backups"]
    assert volume["persistentVolumeClaim"]["claimName"] == "mine"


def test_the_schedule_is_that_of_the_values_and_no_two_run_at_a_time() -> None:
    job = one(
        manifests(minimal(backup={"enabled": True, "schedule": "30 2 * * *", "suspend": True})),
        "CronJob",
        "demo-vonggac-backup",
    )["spec"]
    assert (job["schedule"], job["timeZone"], job["suspend"]) == ("30 2 * * *", "Asia/Ho_Chi_Minh", True)
    assert job["concurrencyPolicy"] == "Forbid"


@pytest.mark.parametrize(
    ("source", "path"),
    [("newest", "/backups/vonggac"), ("2026-11-26T08-30-00Z", "/backups/vonggac/2026-11-26T08-30-00Z")],
)
@each
def test_a_restore_fills_the_servers_of_an_empty_installation(values: Json, source: str, path: str) -> None:
    empty = merged(values, {"restoring": True, "backup": {"restoreFrom": source}})
    objects = manifests(empty)
    pod = pod_of(objects, "Job")
    arguments = _parser().parse_args(pod["spec"]["containers"][0]["args"])
    assert (str(arguments.source), arguments.replicas) == (path, 3)
    assert {thing["kind"] for thing in objects} & {"Deployment", "CronJob"} == set()
    assert f"{arguments.keys}/workers.pub" in files_of(pod)
    filled = merged(empty, {"restoring": False})
    assert [thing for thing in manifests(filled) if "restore" in thing["metadata"]["name"]] == []


def test_a_restore_without_the_volume_is_refused() -> None:
    with pytest.raises(RefusedValuesError, match=r"set backup\.enabled to true for backup\.restoreFrom"):
        rendered(minimal(restoring=True, backup={"restoreFrom": "newest"}))
