"""Who may reach whom is said by values: namespaces, networks, pods and ports, for whatever plug-in enforces it."""

from typing import Any

import pytest
from tests.chart.rendering import Json, RefusedValuesError, manifests, merged, minimal, one, rendered
from tests.chart.validity import Validity

pytestmark = pytest.mark.server
KEYCLOAK = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "login"}}}
DATABASE = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "db"}},
    "podSelector": {"matchExpressions": [{"key": "cnpg.io/cluster", "operator": "In", "values": ["main"]}]},
}


def rules(values: Json, component: str, way: str) -> list[Json]:
    found = one(manifests(values), "NetworkPolicy", f"demo-vonggac-{component}")
    assert Validity().mistakes(found) == []
    return list(found["spec"][way])


def ports(rule: Json) -> list[int]:
    return [port["port"] for port in rule["ports"]]


def with_oidc(url: str, **egress: Any) -> Json:
    return minimal(auth={"jwksUrl": url}, networkPolicy={"egress": {"oidc": [KEYCLOAK], **egress}})


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://login.example/keys", 443),
        ("https://login.example:8443/realms/vonggac/protocol/openid-connect/certs", 8443),
        ("https://10.20.2.7:9443", 9443),
        ("https://login.example/keys?at=a:1", 443),
    ],
)
def test_the_oidc_provider_is_reached_at_the_port_of_its_address(url: str, port: int) -> None:
    for component in ("inventory", "prober", "forwarder", "reporting"):
        [rule] = [rule for rule in rules(with_oidc(url), component, "egress") if rule.get("to") == [KEYCLOAK]]
        assert ports(rule) == [port]


def test_a_provider_behind_a_service_is_reached_at_the_port_of_its_pods() -> None:
    values = with_oidc("https://keycloak.login.svc/keys", oidcPorts=[8443])
    [rule] = [rule for rule in rules(values, "inventory", "egress") if rule.get("to") == [KEYCLOAK]]
    assert ports(rule) == [8443]


def test_an_external_server_may_be_pods_of_the_cluster() -> None:
    values = minimal(networkPolicy={"egress": {"postgresql": [DATABASE, "10.20.1.10/32"]}})
    for component in ("inventory", "reporting", "migrate-inventory"):
        found = [rule for rule in rules(values, component, "egress") if DATABASE in rule["to"]]
        assert [rule["to"] for rule in found] == [[DATABASE, {"ipBlock": {"cidr": "10.20.1.10/32"}}]]
        assert ports(found[0]) == [5432]


def test_cameras_and_mail_may_be_pods_too() -> None:
    values = minimal(networkPolicy={"egress": {"media": [DATABASE, "0.0.0.0/0"], "reporting": [KEYCLOAK]}})
    [media] = [rule for rule in rules(values, "forwarder", "egress") if DATABASE in rule["to"]]
    assert media["to"][1] == {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}
    [mail] = [rule for rule in rules(values, "reporting", "egress") if rule["to"] == [KEYCLOAK]]
    assert ports(mail) == [25, 443, 465, 587]
    other = merged(values, {"networkPolicy": {"egress": {"reportingPorts": [2525]}}})
    [mail] = [rule for rule in rules(other, "reporting", "egress") if rule["to"] == [KEYCLOAK]]
    assert ports(mail) == [2525]


def test_names_are_resolved_where_the_values_say() -> None:
    openshift = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}}}
    values = minimal(networkPolicy={"egress": {"dns": [openshift], "dnsPorts": [5353]}})
    policies = [each for each in manifests(values) if each["kind"] == "NetworkPolicy"]
    for policy in policies:
        first = policy["spec"]["egress"][0]
        assert first["to"] == [openshift], policy["metadata"]["name"]
        assert [(port["port"], port["protocol"]) for port in first["ports"]] == [(5353, "UDP"), (5353, "TCP")]
    with pytest.raises(RefusedValuesError, match=r"set networkPolicy\.egress\.dns to who resolves names"):
        rendered(minimal(networkPolicy={"egress": {"dns": []}}))


def test_who_calls_may_be_nodes_or_pods() -> None:
    nodes = "10.0.0.0/24"
    [rule] = rules(minimal(networkPolicy={"ingress": {"apiPeers": [nodes, KEYCLOAK]}}), "inventory", "ingress")
    assert {"ipBlock": {"cidr": nodes}} in rule["from"]
    assert KEYCLOAK in rule["from"]
    assert {"namespaceSelector": {}} not in rule["from"]
    [rule] = rules(minimal(), "inventory", "ingress")
    assert {"namespaceSelector": {}} in rule["from"]


def test_prometheus_and_keda_may_be_chosen_by_pods() -> None:
    values = minimal(
        prober={"keda": {"enabled": True}},
        monitoring={"exporters": {"nats": {"enabled": True}}},
        networkPolicy={"ingress": {"monitoringPeers": ["10.0.9.0/24"], "kedaPeers": [KEYCLOAK]}},
    )
    scraped = {"ipBlock": {"cidr": "10.0.9.0/24"}}
    [api] = rules(values, "reporting", "ingress")
    assert scraped in api["from"]
    nats = {tuple(ports(rule)): rule["from"] for rule in rules(values, "nats", "ingress")}
    assert KEYCLOAK in nats[(8222,)]
    assert scraped in nats[(7777,)]


@pytest.mark.parametrize("wrong", [{}, {"ipBlock": {"cidr": "10.0.0.0/8"}}, "10.0.0.0", {"pods": {}}])
def test_a_peer_that_is_none_is_refused_by_its_place(wrong: object) -> None:
    with pytest.raises(RefusedValuesError, match=r"/networkPolicy/egress/postgresql/0"):
        rendered(minimal(networkPolicy={"egress": {"postgresql": [wrong]}}))
