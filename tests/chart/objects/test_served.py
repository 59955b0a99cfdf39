"""Centres that pull: the forwarders' RTSP ports, off by default, behind one Service that hides nobody's address."""

from typing import Any

import pytest
from tests.chart.rendering import CHART, Json, RefusedValuesError, helm, manifests, merged, minimal, one, pods, rendered
from tests.chart.validity import Validity

import forwarder.settings
from vonggac.settings.served_addresses import check_served_addresses

pytestmark = pytest.mark.server
PREFIX = "VONGGAC_FORWARDER_SERVE"
TLS: Json = {"served": {"enabled": True, "host": "giam-sat.example", "tlsSecret": "served-tls"}}
UDP: Json = {
    "served": {"enabled": True, "host": "192.0.2.7", "tlsPort": 0, "port": 554, "udpPorts": "30000-30009"},
    "forwarder": {"replicas": 1},
}


def with_served(**more: Any) -> Json:
    return merged(minimal(**TLS), more)


def settings_of(values: Json, component: str) -> dict[str, str]:
    return dict(one(manifests(values), "ConfigMap", f"demo-vonggac-{component}")["data"])


def ports_of(values: Json) -> list[tuple[int, int, str]]:
    spec = one(manifests(values), "Service", "demo-vonggac-forwarder-served")["spec"]
    return [(port["port"], port["targetPort"], port["protocol"]) for port in spec["ports"]]


def test_they_are_closed_by_default() -> None:
    assert [thing for thing in manifests(minimal()) if thing["metadata"]["name"].endswith("-served")] == []
    assert [name for name in settings_of(minimal(), "forwarder") if name.startswith(PREFIX)] == []
    assert "VONGGAC_INVENTORY_SERVED_ADDRESSES" not in settings_of(minimal(), "inventory")
    assert "VONGGAC_PROBER_SERVED_ADDRESSES" not in settings_of(minimal(), "prober")


def test_one_service_leads_to_the_forwarders_and_keeps_the_address_of_the_centre() -> None:
    objects = manifests(with_served(served={"service": {"annotations": {"example.org/address": "192.0.2.7"}}}))
    service = one(objects, "Service", "demo-vonggac-forwarder-served")
    assert (service["spec"]["type"], service["spec"]["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    assert service["metadata"]["annotations"] == {"example.org/address": "192.0.2.7"}
    [labels] = [pod["metadata"]["labels"] for component, pod in pods(objects) if component == "forwarder"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert ports_of(with_served()) == [(322, 8322, "TCP")]
    assert ports_of(with_served(served={"port": 554})) == [(322, 8322, "TCP"), (554, 8554, "TCP")]
    inside = with_served(served={"service": {"type": "ClusterIP"}})
    assert "externalTrafficPolicy" not in one(manifests(inside), "Service", "demo-vonggac-forwarder-served")["spec"]
    assert Validity().mistakes_in(rendered(inside) + rendered(minimal(**UDP))) == []


def test_forwarders_listen_where_the_service_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    values = with_served(served={"port": 554})
    for name, value in settings_of(values, "forwarder").items():
        monkeypatch.setenv(name, value)
    read = forwarder.settings.Settings()
    assert [read.serve_tls_port, read.serve_port] == [target for _, target, _ in ports_of(values)]
    [spec] = [pod["spec"] for component, pod in pods(manifests(values)) if component == "forwarder"]
    opened = {port["containerPort"] for port in spec["containers"][0]["ports"]}
    assert opened == {8080, 8322, 8554}
    [volume] = [volume["secret"] for volume in spec["volumes"] if volume["name"] == "served-tls"]
    assert volume["secretName"] == "served-tls"
    shown = [f"/run/vonggac/served-tls/{item['path']}" for item in volume["items"]]
    assert shown == [str(read.serve_tls_certificate_file), str(read.serve_tls_key_file)]


@pytest.mark.parametrize("component", ["inventory", "prober"])
def test_inventory_says_the_same_addresses_and_the_prober_checks_them(component: str) -> None:
    values = with_served(served={"port": 554})
    stated = settings_of(values, component)[f"VONGGAC_{component.upper()}_SERVED_ADDRESSES"]
    assert stated == "rtsps://giam-sat.example:322,rtsp://giam-sat.example:554"
    addresses = tuple(stated.split(","))
    assert check_served_addresses(addresses) == addresses


def test_the_prober_checks_the_certificate_by_the_authority_that_is_given() -> None:
    def trusted(**served: Any) -> tuple[str | None, list[str]]:
        values = with_served(served=served)
        [spec] = [pod["spec"] for component, pod in pods(manifests(values)) if component == "prober"]
        volumes = [each["secret"]["secretName"] for each in spec["volumes"] if each["name"] == "served-ca"]
        return settings_of(values, "prober").get("VONGGAC_PROBER_SERVED_CA_FILE"), volumes

    assert trusted() == (None, [])
    assert trusted(caSecret="own-ca") == ("/run/vonggac/served-ca/ca.crt", ["own-ca"])
    assert trusted(caSecret="own-ca", tlsPort=0, port=554) == (None, []), "nothing is inside TLS"


def test_udp_goes_out_from_the_ports_that_centres_know(monkeypatch: pytest.MonkeyPatch) -> None:
    values = minimal(**UDP)
    expected = [(554, 8554, "TCP"), *((port, port, "UDP") for port in range(30000, 30010))]
    assert ports_of(values) == expected
    for name, value in settings_of(values, "forwarder").items():
        monkeypatch.setenv(name, value)
    read = forwarder.settings.Settings()
    assert read.served_udp_ports == range(30000, 30010)
    assert (read.serve_tls_port, read.serve_tls_certificate_file) == (None, None)


def test_centres_the_prober_and_other_forwarders_reach_them_and_nobody_else() -> None:
    objects = manifests(with_served(served={"peers": ["203.0.113.0/28"]}))
    policy = one(objects, "NetworkPolicy", "demo-vonggac-forwarder")["spec"]
    [outside] = [rule for rule in policy["ingress"] if {"ipBlock": {"cidr": "203.0.113.0/28"}} in rule["from"]]
    assert outside["ports"] == [{"port": 8322, "protocol": "TCP"}]
    assert len(outside["from"]) == 2
    assert outside["from"][1]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "prober"
    among = {"app.kubernetes.io/component": "forwarder"}.items()
    for rules, side in ((policy["ingress"], "from"), (policy["egress"], "to")):
        [rule] = [
            rule for rule in rules if among <= rule[side][0].get("podSelector", {}).get("matchLabels", {}).items()
        ]
        assert "ports" not in rule, "a passage between them takes a free port"
    [usual] = [
        rule
        for rule in one(manifests(with_served()), "NetworkPolicy", "demo-vonggac-forwarder")["spec"]["ingress"]
        if {"ipBlock": {"cidr": "10.64.0.0/12"}} in rule["from"]
    ]
    assert usual["ports"] == outside["ports"]


def test_the_prober_may_go_where_centres_type_in() -> None:
    def opened(values: Json, component: str = "prober") -> list[Json]:
        rules = one(manifests(values), "NetworkPolicy", f"demo-vonggac-{component}")["spec"]["egress"]
        return [rule for rule in rules if {"port": 322, "protocol": "TCP"} in rule.get("ports", [])]

    balancer: Json = {"egress": {"served": ["198.51.100.7/32"]}}
    [address] = opened(with_served(served={"host": "192.0.2.7", "port": 554}))
    assert address["to"] == [{"ipBlock": {"cidr": "192.0.2.7/32"}}]
    assert [port["port"] for port in address["ports"]] == [322, 554]
    [name] = opened(with_served(networkPolicy=balancer))
    assert name["to"] == [{"ipBlock": {"cidr": "198.51.100.7/32"}}]
    assert opened(with_served()) == [], "a name alone says nothing of networks"
    assert opened(with_served(networkPolicy=balancer), "forwarder") == []


@pytest.mark.parametrize(
    ("served", "sentence"),
    [
        ({"host": ""}, "set served.host to the name or address that centres type in"),
        ({"tlsSecret": ""}, "set served.tlsSecret to the Secret with the certificate of served.host"),
        ({"tlsPort": 0}, "set served.tlsPort, or served.port for centres without TLS: no port is open"),
        ({"port": 322}, "set served.port to another one than served.tlsPort"),
        ({"udpPorts": "30000-30099"}, "set served.port for served.udpPorts: nothing encrypts UDP"),
        (
            {"port": 554, "udpPorts": "30000-30099"},
            "set forwarder.replicas to 1, without an autoscaler, for served.udp",
        ),
        ({"port": 554, "udpPorts": "30099-30000"}, "set served.udpPorts to the first and the last port, from 1024"),
        ({"port": 554, "udpPorts": "1000-1100"}, "set served.udpPorts to the first and the last port, from 1024"),
        ({"port": 554, "udpPorts": "30000-30999"}, "set served.udpPorts to at most 200 ports"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_set(served: Json, sentence: str) -> None:
    with pytest.raises(RefusedValuesError) as refused:
        rendered(with_served(served=served))
    assert sentence in str(refused.value)


def test_the_notes_say_the_addresses_and_who_hides_the_centre() -> None:
    def notes(**served: Any) -> str:
        return helm("install", "demo", str(CHART), "--dry-run=client", values=with_served(served=served)).stdout

    assert "Centres that pull: rtsps://giam-sat.example:322" in notes()
    assert "is Cluster" not in notes()
    assert "is Cluster: every centre seems to come from a node" in notes(service={"externalTrafficPolicy": "Cluster"})
