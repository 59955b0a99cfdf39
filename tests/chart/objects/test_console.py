"""The console: an option of one origin inside TLS, refused where nobody could sign in; it reaches what it needs."""

from collections.abc import Iterable, Iterator
from typing import Any

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
    pods,
    rendered,
    values_of,
)
from tests.chart.validity import Validity

import console.settings
from console.app import create_app
from console.settings import Settings
from vonggac.settings import describe

pytestmark = pytest.mark.server
ISSUER = "https://login.example/realms/vonggac"
WHOLE: Json = {
    "console": {"enabled": True, "oidc": {"issuer": ISSUER}},
    "auth": {"jwksUrl": "https://login.example/keys"},
    "hosts": {"console": "vonggac.example"},
    "ingress": {"enabled": True, "tlsSecret": "vonggac-hosts"},
}
FOR_THE_CLUSTER = {"/metrics", "/readyz", "/livez"}
KINDS = {"Deployment", "Service", "ConfigMap", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget"}


def with_console(**more: Any) -> Json:
    return merged(minimal(**WHOLE), more)


def of_console(values: Json) -> list[Json]:
    return [thing for thing in manifests(values) if component_of(thing) == "console"]


def settings_of(values: Json) -> dict[str, str]:
    return dict(one(manifests(values), "ConfigMap", "demo-vonggac-console")["data"])


def started(data: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings as the pod reads them."""
    for name, value in data.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_it_is_an_option() -> None:
    assert of_console(minimal()) == []
    assert "console" not in str(one(manifests(minimal()), "NetworkPolicy", "demo-vonggac-nats"))


def test_it_has_what_a_service_has() -> None:
    assert {thing["kind"] for thing in of_console(with_console())} == KINDS
    more = with_console(console={"autoscaling": {"enabled": True}}, monitoring={"serviceMonitors": {"enabled": True}})
    assert {thing["kind"] for thing in of_console(more)} == KINDS | {"HorizontalPodAutoscaler", "ServiceMonitor"}
    assert Validity().mistakes_in(rendered(more)) == []
    restoring = of_console(with_console(restoring=True))
    assert {thing["kind"] for thing in restoring} & {"Deployment", "PodDisruptionBudget"} == set()


def test_it_is_set_what_it_needs_and_starts_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = settings_of(with_console())
    assert data.keys() <= {variable for variable, *_ in describe(console.settings.Settings)}
    read = started(data, monkeypatch)
    assert (read.base_url, read.issuer) == ("https://vonggac.example", ISSUER)
    addresses = (read.inventory_url, read.reporting_url, read.prober_url, read.forwarder_url)
    services = ("inventory", "reporting", "prober", "forwarder")
    assert addresses == tuple(f"http://demo-vonggac-{service}:8080" for service in services)
    assert read.nats_user == "console"
    assert read.oidc_client_secret_file is None


def test_the_qr_code_of_a_facility_leads_to_it_unless_another_page_is_named() -> None:
    def page_of(values: Json) -> str | None:
        data = one(manifests(values), "ConfigMap", "demo-vonggac-inventory")["data"]
        page: str | None = data.get("VONGGAC_INVENTORY_FACILITY_LINK_PAGE")
        return page

    assert page_of(with_console()) == "https://vonggac.example/f"
    assert page_of(minimal()) is None
    own = with_console(inventory={"settings": {"FACILITY_LINK_PAGE": "https://facilities.example/f"}})
    assert page_of(own) == "https://facilities.example/f"


def test_its_secret_at_the_provider_is_a_file() -> None:
    values = with_console(console={"oidc": {"clientSecret": "at-provider"}})
    assert settings_of(values)["VONGGAC_CONSOLE_OIDC_CLIENT_SECRET_FILE"] == "/run/vonggac/oidc/client.secret"
    [pod] = [pod for component, pod in pods(manifests(values)) if component == "console"]
    secrets = {volume["name"]: volume["secret"] for volume in pod["spec"]["volumes"] if "secret" in volume}
    assert secrets["oidc"]["secretName"] == "at-provider"
    assert secrets["nats"]["secretName"] == "vonggac-nats-console"
    assert secrets.keys() == {"oidc", "nats", "nats-ca"}, "no database, no key"


@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        ({"console": {"oidc": {"issuer": ""}}}, "set console.oidc.issuer to the address of your OIDC provider"),
        ({"auth": {"jwksUrl": ""}}, "set auth.jwksUrl to the public keys of the provider of console.oidc.issuer"),
        ({"hosts": {"console": ""}, "ingress": {"enabled": False}}, "set hosts.console to the name that browsers open"),
        ({"ingress": {"tlsSecret": ""}}, "set ingress.tlsSecret to the certificate of hosts.console, or console.base"),
        ({"ingress": {"enabled": False}}, "set ingress.enabled or gateway.enabled to true: hosts are not reached"),
        ({"console": {"enabled": False}}, "set console.enabled to true for hosts.console: nothing answers there"),
        ({"console": {"terminationGracePeriodSeconds": 30}}, "set console.terminationGracePeriodSeconds to more than"),
        (
            {"console": {"autoscaling": {"enabled": True, "minReplicas": 5}}},
            "set console.autoscaling.maxReplicas to at least console.autoscaling.minReplicas",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_set(without: Json, sentence: str) -> None:
    with pytest.raises(RefusedValuesError) as refused:
        rendered(with_console(**without))
    assert sentence in str(refused.value)


def test_its_login_at_nats_is_asked_for() -> None:
    external = merged(values_of(CHART / "ci/external-everything-values.yaml"), {"secrets": {"natsConsole": ""}})
    with pytest.raises(RefusedValuesError, match=r"existing Secret: secrets\.natsConsole"):
        rendered(external)
    assert rendered(merged(external, {"console": {"enabled": False}, "hosts": {"console": ""}}))


@pytest.mark.parametrize("address", ["http://vonggac.example", "https://vonggac.example/pages", "vonggac.example"])
def test_an_address_outside_tls_or_with_a_path_is_refused_by_its_place(address: str) -> None:
    with pytest.raises(RefusedValuesError, match="'/console/baseUrl'"):
        rendered(with_console(console={"baseUrl": address}))


def test_a_proxy_that_ends_tls_elsewhere_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    values = with_console(console={"baseUrl": "https://pages.example:8443"}, ingress={"tlsSecret": ""})
    assert started(settings_of(values), monkeypatch).base_url == "https://pages.example:8443"


def paths_of(routes: Iterable[object]) -> Iterator[str]:
    """The paths of an app, those of its routers too."""
    for route in routes:
        router = getattr(route, "original_router", None)
        if router is None:
            yield str(getattr(route, "path", ""))
        else:
            yield from paths_of(router.routes)


def reached(ingress: Json, path: str) -> bool:
    """Whether the Ingress leads this path of the console's host to it."""
    [rule] = [rule for rule in ingress["spec"]["rules"] if rule["host"] == "vonggac.example"]
    ways = [(way["pathType"], way["path"]) for way in rule["http"]["paths"]]
    return any(path == way or (kind == "Prefix" and path.startswith(f"{way}/")) for kind, way in ways)


def test_every_page_is_reached_and_nothing_for_machines() -> None:
    [ingress] = [thing for thing in manifests(with_console()) if thing["kind"] == "Ingress"]
    unreached = {path for path in paths_of(create_app(Settings()).routes) if not reached(ingress, path)}
    assert "/facilities/{facility}" in set(paths_of(create_app(Settings()).routes))
    assert unreached == FOR_THE_CLUSTER, "deploy/k8s/vonggac/templates/_access.tpl lists the first parts of paths"
    assert ingress["spec"]["tls"] == [{"secretName": "vonggac-hosts", "hosts": ["vonggac.example"]}]


def peers(policy: Json, way: str, direction: str) -> set[str]:
    """Components that a NetworkPolicy names."""
    return {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in policy["spec"][way]
        for peer in rule.get(direction, [])
        if "podSelector" in peer
    }


def test_it_reaches_the_records_nats_and_the_provider_alone() -> None:
    objects = manifests(with_console(networkPolicy={"egress": {"oidc": ["10.20.2.7/32"]}}))
    policy = one(objects, "NetworkPolicy", "demo-vonggac-console")
    assert peers(policy, "egress", "to") == {"nats", "inventory", "reporting", "prober", "forwarder"}
    [provider] = [rule for rule in policy["spec"]["egress"] if rule["to"] == [{"ipBlock": {"cidr": "10.20.2.7/32"}}]]
    assert [port["port"] for port in provider["ports"]] == [443]
    for component in ("inventory", "reporting", "prober", "forwarder"):
        called = one(objects, "NetworkPolicy", f"demo-vonggac-{component}")
        assert "console" in peers(called, "ingress", "from"), component
    assert "console" in peers(one(objects, "NetworkPolicy", "demo-vonggac-nats"), "ingress", "from")
