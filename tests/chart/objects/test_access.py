"""What is reached from outside, who is taken for the caller, and whose certificates are trusted."""

import re
from typing import Any

import pytest
from tests.chart.rendering import CHART, SERVICES, Json, RefusedValuesError, helm, manifests, minimal, one, rendered
from tests.chart.validity import Validity

from vonggac.http.protection.callers import OPEN_TO_ALL

pytestmark = pytest.mark.server
HOSTS = {name: f"{name}.vonggac.example" for name in SERVICES}
DOORS = [{"ingress": {"enabled": True}}, {"gateway": {"enabled": True, "name": "public"}}]
FOR_THE_CLUSTER = {"/metrics", "/readyz", "/livez"}


def reached(values: Json, path: str) -> set[str]:
    """The services whose `path` is reached from outside."""
    found = set()
    for each in manifests(values):
        if each["kind"] == "Ingress":
            for rule in each["spec"]["rules"]:
                for way in rule["http"]["paths"]:
                    if _leads(way["pathType"], way["path"], path):
                        found.add(way["backend"]["service"]["name"].removeprefix("demo-vonggac-"))
        if each["kind"] == "HTTPRoute":
            for rule in each["spec"]["rules"]:
                for match in rule["matches"]:
                    if _leads(match["path"]["type"], match["path"]["value"], path):
                        found.add(rule["backendRefs"][0]["name"].removeprefix("demo-vonggac-"))
    return found


def _leads(kind: str, way: str, path: str) -> bool:
    if kind == "Exact":
        return way == path
    assert kind in {"Prefix", "PathPrefix"}
    return path == way or path.startswith(f"{way.rstrip('/')}/")


@pytest.mark.parametrize("door", DOORS, ids=["ingress", "gateway"])
def test_metrics_and_health_are_not_reached_from_outside(door: Json) -> None:
    values = minimal(hosts=HOSTS, **door)
    assert {path: reached(values, path) for path in FOR_THE_CLUSTER} == {path: set() for path in FOR_THE_CLUSTER}
    for path in ("/metrics/", "/readyz/x", "/v1x", "/docsx"):
        assert reached(values, path) == set()


@pytest.mark.parametrize("door", DOORS, ids=["ingress", "gateway"])
def test_the_apis_and_their_pages_are_reached(door: Json) -> None:
    values = minimal(hosts=HOSTS, **door)
    for path in {*OPEN_TO_ALL - FOR_THE_CLUSTER, "/v1/cameras", "/docs/start.js", "/openapi/cameras.json"}:
        assert reached(values, path) == set(SERVICES), path
    assert reached(values, "/probe") == {"prober"}
    validity = Validity()
    assert validity.mistakes_in(rendered(values)) == []


@pytest.mark.parametrize(
    "host",
    ["a.b.vonggac.so1.2quangtri.gov.vn", "camera.example", f"{'a' * 63}.example", "a.b.c.d.e.f.g.h.example"],
)
def test_a_host_of_many_labels_is_taken(host: str) -> None:
    objects = manifests(minimal(hosts={"inventory": host}, ingress={"enabled": True}))
    assert one(objects, "Ingress", "demo-vonggac-api")["spec"]["rules"][0]["host"] == host


@pytest.mark.parametrize(
    "host", ["a..example", "-a.example", "a_b.example", f"{'a' * 64}.example", "https://a.example"]
)
def test_what_is_no_host_is_refused_by_its_place(host: str) -> None:
    with pytest.raises(RefusedValuesError, match="'/hosts/inventory'"):
        rendered(minimal(hosts={"inventory": host}, ingress={"enabled": True}))


def test_trusted_proxies_are_a_setting_of_every_service() -> None:
    given = minimal(trustedProxies=["10.244.0.0/16", "192.0.2.7", "fd00::/8"])
    for service in SERVICES:
        name = f"VONGGAC_{service.upper()}_TRUSTED_PROXIES"
        data = one(manifests(given), "ConfigMap", f"demo-vonggac-{service}")["data"]
        assert data[name] == "10.244.0.0/16,192.0.2.7,fd00::/8"
        assert name not in one(manifests(minimal()), "ConfigMap", f"demo-vonggac-{service}")["data"]


def test_a_network_of_proxies_that_begins_elsewhere_is_refused() -> None:
    with pytest.raises(
        RefusedValuesError, match=r"set trustedProxies to 10\.244\.0\.0/16 in place of 10\.244\.1\.0/16"
    ):
        rendered(minimal(trustedProxies=["10.244.1.0/16"]))


def test_the_notes_say_where_all_callers_are_one() -> None:
    def notes(**values: Any) -> str:
        given = minimal(hosts=HOSTS, ingress={"enabled": True}, **values)
        return helm("install", "demo", str(CHART), "--dry-run=client", values=given).stdout

    assert "set trustedProxies to the addresses" in notes()
    assert "trustedProxies" not in notes(trustedProxies=["10.244.0.0/16"])


def test_authorities_of_the_operator_are_mounted_by_every_service() -> None:
    objects = manifests(minimal(extraCa={"configMap": "authorities", "key": "bundle.pem"}))
    for service in SERVICES:
        spec = one(objects, "Deployment", f"demo-vonggac-{service}")["spec"]["template"]["spec"]
        [container] = spec["containers"]
        [variable] = container["env"]
        assert variable == {"name": "VONGGAC_EXTRA_CA_FILE", "value": "/run/vonggac/extra-ca/ca.crt"}
        [volume] = [volume for volume in spec["volumes"] if volume["name"] == "extra-ca"]
        assert volume["configMap"]["name"] == "authorities"
        assert volume["configMap"]["items"] == [{"key": "bundle.pem", "path": "ca.crt"}]
        assert "/run/vonggac/extra-ca" in {mount["mountPath"] for mount in container["volumeMounts"]}
    assert "extra-ca" not in rendered(minimal())


@pytest.mark.parametrize(
    ("given", "meant"),
    [(1, "1"), (0.5, "0.5"), (2.0, "2"), ("1.5", "1.5"), ("750m", "750m")],
)
def test_a_quantity_of_cpu_is_taken_as_people_write_it(given: object, meant: str) -> None:
    objects = manifests(minimal(forwarder={"resources": {"requests": {"cpu": given}}}))
    [container] = one(objects, "Deployment", "demo-vonggac-forwarder")["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == meant


@pytest.mark.parametrize("given", ["1.5Gi", "1536Mi", "0.5Gi", "2G", "512M", "1Ti", 1073741824])
def test_a_quantity_of_memory_is_taken_as_people_write_it(given: object) -> None:
    values = minimal(
        nats={"resources": {"limits": {"memory": given}}}, jobs={"resources": {"limits": {"memory": given}}}
    )
    objects = manifests(values)
    assert [mistake for thing in objects for mistake in Validity().mistakes(thing)] == []
    [container] = one(objects, "StatefulSet", "demo-vonggac-nats")["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"]["memory"] == str(given)


@pytest.mark.parametrize("wrong", ["1,5Gi", "lots", "-1", "1.5 Gi", "1GiB"])
def test_what_is_no_quantity_is_refused_by_its_place(wrong: str) -> None:
    with pytest.raises(RefusedValuesError, match="'/nats/resources/limits/memory'"):
        rendered(minimal(nats={"resources": {"limits": {"memory": wrong}}}))


def test_values_of_a_chart_around_this_one_change_nothing() -> None:
    around = {"imageRegistry": "registry.example", "postgresql": {"auth": {"database": "x"}}, "storageClass": "fast"}
    assert rendered(minimal(**{"global": around})) == rendered(minimal())


def test_long_names_with_dots_are_names() -> None:
    name = "vonggac.backups.quang-tri.example-of-a-long-name-that-somebody-made-up"
    text = rendered(minimal(backup={"enabled": True, "storage": {"existingClaim": name}}))
    assert re.search(rf'claimName: "{re.escape(name)}"', text)
