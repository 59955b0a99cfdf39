"""Values that cannot work are refused with one sentence that says what to set."""

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.chart.rendering import (
    CHART,
    ROOT,
    RefusedValuesError,
    helm,
    merged,
    minimal,
    rendered,
    values_of,
)

from vonggac.net.allowed_networks import AllowedNetworks

pytestmark = pytest.mark.server

EXTERNAL = values_of(CHART / "ci/external-everything-values.yaml")
CLOUDNATIVEPG = {"postgresql": {"host": "", "cloudnativepg": {"enabled": True}}}
REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"secrets": {"prefix": ""}},
        "set secrets.prefix, or each of these to the name of an existing Secret: secrets.work",
    ),
    ({"secrets": {"prefix": "", "workersPublic": "a"}}, "existing Secret: secrets.workersPrivate, secrets.natsSetup, "),
    (
        {"postgresql": {"host": ""}},
        "set postgresql.host to your PostgreSQL server, or postgresql.cloudnativepg.enabled",
    ),
    (
        {"postgresql": {"cloudnativepg": {"enabled": True}}},
        "set either postgresql.host or postgresql.cloudnativepg.ena",
    ),
    ({"nats": {"enabled": False}}, "set nats.external.url, or nats.enabled to true"),
    ({"nats": {"external": {"url": "tls://n:4222"}}}, "set nats.enabled to false to use nats.external.url"),
    ({"nats": {"storage": {"gibibytes": 8}}}, "set nats.observationsMaxBytes to at most 6196664728, or give NATS more"),
    (
        {"nats": {"cameras": 22_000}},
        "set nats.observationsMaxBytes to at least 10936200000, or nats.absenceHours lower: so many bytes are ",
    ),
    (
        {"nats": {"cameras": 20_000, "absenceHours": 6}},
        "set nats.observationsMaxBytes to at least 11930400000, or nats.absenceHours lower",
    ),
    (
        {"prober": {"autoscaling": {"enabled": True}, "keda": {"enabled": True}}},
        "set only one of prober.autoscaling.en",
    ),
    (
        {"forwarder": {"autoscaling": {"enabled": True}, "keda": {"enabled": True}}},
        "two autoscalers of one Deployment ",
    ),
    (
        {"inventory": {"autoscaling": {"minReplicas": 9}}},
        "set inventory.autoscaling.maxReplicas to at least inventory.a",
    ),
    (
        {"forwarder": {"keda": {"enabled": True, "minReplicas": 11}}},
        "set forwarder.keda.maxReplicas to at least forward",
    ),
    (
        {"forwarder": {"keda": {"enabled": True}, "maxCameras": 130}},
        "set forwarder.keda.camerasPerReplica below forward",
    ),
    (
        {"forwarder": {"stopWithinSeconds": 60}},
        "set forwarder.terminationGracePeriodSeconds to more than 95: an orderly",
    ),
    (
        {"reporting": {"terminationGracePeriodSeconds": 30}},
        "set reporting.terminationGracePeriodSeconds to more than 30",
    ),
    ({"ingress": {"enabled": True}}, "set a host (hosts.inventory, hosts.reporting, …) for the Ingress or the Gateway"),
    (
        {"hosts": {"inventory": "a.example"}},
        "set ingress.enabled or gateway.enabled to true: hosts are not reached with",
    ),
    (
        {"media": {"allowedNetworks": []}},
        "set media.allowedNetworks to the networks of your cameras and centres",
    ),
    (
        {"media": {"allowedNetworks": ["10.0.0.0/8", "10.213.65.2/12"]}},
        "set media.allowedNetworks to 10.208.0.0/12 in place of 10.213.65.2/12: a network begins there",
    ),
    (
        {"media": {"allowedNetworks": ["::::/64"]}},
        "set media.allowedNetworks to networks such as 10.20.0.0/16 or 2001:db8::/32: ::::/64 is none",
    ),
    (
        {"media": {"allowedNetworks": ["abc/64"]}},
        "such as 10.20.0.0/16 or 2001:db8::/32: abc/64 is none",
    ),
    (
        {"networkPolicy": {"egress": {"postgresql": []}}},
        "set networkPolicy.egress.postgresql to the network of your Po",
    ),
]
BOTH_DOORS = {"hosts": {"inventory": "a.example"}, "ingress": {"enabled": True}, "gateway": {"enabled": True}}
UNKNOWN: list[tuple[dict[str, Any], str]] = [
    ({"replicas": 3}, "additional properties 'replicas' not allowed"),
    ({"forwarder": {"maxCamera": 100}}, "'/forwarder': additional properties 'maxCamera' not allowed"),
    ({"prober": {"settings": {"MIN_FPSS": "5"}}}, "additional properties 'MIN_FPSS' not allowed"),
    ({"prober": {"settings": {"NATS_URL": "nats://elsewhere"}}}, "additional properties 'NATS_URL' not allowed"),
    ({"nats": {"replicas": 2}}, "'/nats/replicas': value must be one of 1, 3"),
    ({"media": {"allowedNetworks": ["10.0.0.0"]}}, "'/media/allowedNetworks/0'"),
    ({"media": {"allowedNetworks": ["10.00.0.0/8"]}}, "'/media/allowedNetworks/0'"),
    ({"image": {"registry": "https://registry.example/vonggac"}}, "'/image/registry'"),
]


API = {
    "/version": {"major": "1", "minor": "35", "gitVersion": "v1.35.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [
            {
                "name": "persistentvolumeclaims",
                "singularName": "persistentvolumeclaim",
                "namespaced": True,
                "kind": "PersistentVolumeClaim",
                "verbs": ["get"],
            }
        ],
    },
    "/apis": {
        "kind": "APIGroupList",
        "groups": [
            {
                "name": "apps",
                "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
                "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
            }
        ],
    },
    "/apis/apps/v1": {
        "kind": "APIResourceList",
        "groupVersion": "apps/v1",
        "resources": [
            {
                "name": "statefulsets",
                "singularName": "statefulset",
                "namespaced": True,
                "kind": "StatefulSet",
                "verbs": ["get"],
            }
        ],
    },
}
"""As much of Kubernetes' API as helm reads before it reads an object."""


@contextmanager
def answering(objects: Mapping[str, Any]) -> Iterator[str]:
    """An API server that has these objects and no other."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = {**API, **objects}.get(self.path.partition("?")[0])
            missing = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found or missing).encode())

        def log_request(self, *_of: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(RefusedValuesError) as refused:
        rendered(values)
    return str(refused.value)


@pytest.mark.parametrize(
    ("values", "sentence"), REFUSED, ids=lambda value: value[:50] if isinstance(value, str) else ""
)
def test_what_cannot_work_is_refused_with_what_to_set(values: dict[str, Any], sentence: str) -> None:
    text = refusal(minimal(**values))
    assert sentence in text
    [line] = [line for line in text.splitlines() if line.startswith("Error: ")]
    assert line.startswith("Error: execution error at (vonggac/templates/checks.yaml:")


@pytest.mark.parametrize(("values", "named"), UNKNOWN, ids=lambda value: value[:50] if isinstance(value, str) else "")
def test_an_unknown_key_or_value_is_refused_by_its_name(values: dict[str, Any], named: str) -> None:
    assert named in refusal(minimal(**values))


def test_the_command_of_the_readme_is_refused_nothing() -> None:
    """Word by word, but for the cluster that it waits for."""
    text = (ROOT / "README.md").read_text("utf-8").replace("\\\n", " ")
    [command] = [line for line in text.splitlines() if line.strip().startswith("helm install ")]
    words = [word for word in shlex.split(command, comments=True) if word not in {"--wait", "--timeout", "15m"}]
    name, chart, *options = words[2:]
    done = helm("template", name, str(ROOT / chart), *options)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("network", ["0.0.0.0/0", "203.0.113.7/32", "2001:db8:1:2:3::/80", "::/0", "fd00::7/128"])
def test_a_network_that_the_services_take_is_not_refused(network: str) -> None:
    assert AllowedNetworks.parse([network]).networks
    assert rendered(minimal(media={"allowedNetworks": [network]}))


NAME = "demo-vonggac-nats"
SERVERS = f"/apis/apps/v1/namespaces/vonggac/statefulsets/{NAME}"
CLAIM = f"/api/v1/namespaces/vonggac/persistentvolumeclaims/data-{NAME}-0"


def servers(replicas: int = 3, storage: str = "20Gi") -> dict[str, Any]:
    """The StatefulSet of NATS, as much of it as matters."""
    template = {"spec": {"resources": {"requests": {"storage": storage}}}}
    spec = {"replicas": replicas, "volumeClaimTemplates": [template]}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": NAME}, "spec": spec}


def claim(storage: str) -> dict[str, Any]:
    """The volume of its first server."""
    spec = {"resources": {"requests": {"storage": storage}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": f"data-{NAME}-0"}, "spec": spec}


def said_over(living: dict[str, Any], folder: Path, **nats: Any) -> str:
    """What helm says of these values over these objects; it goes on to ask for kinds that this API has not."""
    with answering(living) as address:
        cluster = {"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "c", "cluster": {"server": address}}]}
        cluster |= {"contexts": [{"name": "c", "context": {"cluster": "c"}}], "current-context": "c"}
        (folder / "kubeconfig").write_text(json.dumps(cluster), "utf-8")
        options = ["--namespace", "vonggac", "--dry-run=server", "--kubeconfig", str(folder / "kubeconfig")]
        return helm("template", "demo", str(CHART), *options, values=minimal(nats=nats)).stderr


def test_replicas_are_not_changed_over_a_living_statefulset(tmp_path: Path) -> None:
    living = {SERVERS: servers(replicas=1)}
    assert f"set nats.replicas to 1, as StatefulSet {NAME} has it" in said_over(living, tmp_path, replicas=3)
    assert "nats.replicas" not in said_over(living, tmp_path, replicas=1)


def test_the_disk_of_nats_is_not_changed_over_a_living_statefulset(tmp_path: Path) -> None:
    """Kubernetes would refuse it in the middle of the upgrade, with a sentence that names no way."""
    larger = {"storage": {"gibibytes": 80}}
    before = {SERVERS: servers(), CLAIM: claim("20Gi")}
    refused = said_over(before, tmp_path, **larger)
    assert f"grow the volumes of NATS first, or set nats.storage.gibibytes to 20: data-{NAME}-0 has 20Gi" in refused
    grown = {SERVERS: servers(), CLAIM: claim("80Gi")}
    refused = said_over(grown, tmp_path, **larger)
    assert f"delete StatefulSet {NAME} with --cascade=orphan before this upgrade" in refused
    smaller = said_over(before, tmp_path, storage={"gibibytes": 10}, observationsMaxBytes=1 << 30)
    assert "or set nats.storage.gibibytes to what it has (20Gi)" in smaller
    for living in (before, {CLAIM: claim("80Gi")}, {}):
        values = larger if SERVERS not in living else {}
        assert "gibibytes" not in said_over(living, tmp_path, **values)


def test_two_front_doors_are_refused() -> None:
    assert "set only one of ingress.enabled and gateway.enabled" in refusal(minimal(**BOTH_DOORS))


def test_a_gateway_needs_a_name() -> None:
    assert "set gateway.name" in refusal(merged(EXTERNAL, {"gateway": {"name": ""}}))


def test_keda_needs_the_monitoring_of_an_external_nats() -> None:
    assert "set nats.external.monitoring to host:port" in refusal(
        merged(EXTERNAL, {"prober": {"keda": {"enabled": True}}})
    )


@pytest.mark.parametrize(("network", "whose"), [("nats", "NATS"), ("oidc", "OIDC provider")])
def test_a_network_of_something_external_must_be_named(network: str, whose: str) -> None:
    closed = merged(EXTERNAL, {"networkPolicy": {"egress": {network: []}}})
    assert f"set networkPolicy.egress.{network} to the network of your {whose}" in refusal(closed)


def test_a_cluster_without_the_operator_is_refused_with_the_reason() -> None:
    done = helm("template", "demo", str(CHART), values=minimal(**CLOUDNATIVEPG))
    assert done.returncode != 0
    assert "postgresql.cloudnativepg.enabled needs the CloudNativePG operator: install it" in done.stderr
