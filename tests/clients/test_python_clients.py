"""Clients made by openapi-python-client walk the running services: what is sent is what the documents say."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.clients.conftest import Services
from tests.clients.generated import PythonClient, generate_python

pytestmark = [pytest.mark.server, pytest.mark.slow]

type Clients = dict[str, PythonClient]


@pytest.fixture(scope="module")
def clients(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    folder: Path = tmp_path_factory.mktemp("generated")
    sys.path.insert(0, str(folder))
    try:
        packages = {service: generate_python(service, folder) for service in services.addresses}
        made = {
            service: PythonClient(package, services.addresses[service], services.token)
            for service, package in packages.items()
        }
        yield made
        for client in made.values():
            client.close()
    finally:
        sys.path.remove(str(folder))


LISTS = [
    ("prober", "cameras", "list_cameras", "camera_id"),
    ("prober", "workers", "list_workers", "worker_id"),
    ("forwarder", "deliveries", "list_deliveries", "delivery_id"),
    ("forwarder", "workers", "list_workers", "worker_id"),
]


@pytest.mark.parametrize(("service", "tag", "operation", "key"), LISTS)
def test_a_list_is_walked_page_by_page(
    clients: Clients, services: Services, service: str, tag: str, operation: str, key: str
) -> None:
    client = clients[service]
    page_class = "PageOf"

    def whole() -> list[Any]:
        page = client.call(tag, operation, limit=1000, total=True, sort=key)
        assert type(page).__name__.startswith(page_class)
        assert page.total == len(page.items) > 0
        return [getattr(item, key) for item in page.items]

    expected = whole()
    found: list[Any] = []
    given: dict[str, Any] = {}
    while True:
        page = client.call(tag, operation, limit=1, sort=key, **given)
        found += [getattr(item, key) for item in page.items]
        if page.next_ is None:
            break
        given = {"cursor": page.next_}
    assert found == expected


def test_fields_give_sparse_items(clients: Clients, services: Services) -> None:
    page = clients["prober"].call("cameras", "list_cameras", limit=1, fields="camera_id,verdict")
    assert type(page).__name__ == "SparsePage"
    assert set(page.items[0].to_dict()) == {"camera_id", "verdict"}


@pytest.mark.parametrize(
    ("service", "tag", "operation", "given"),
    [
        ("prober", "cameras", "get_camera", ["id"]),
        ("prober", "scans", "get_scan", ["id"]),
        ("prober", "references", "get_reference", ["id"]),
        ("forwarder", "deliveries", "get_delivery", ["id"]),
        ("forwarder", "cameras", "list_camera_deliveries", ["id"]),
        ("reporting", "intervals", "read_camera_intervals", ["id"]),
        ("reporting", "intervals", "read_delivery_intervals", ["id"]),
    ],
)
def test_what_is_not_there_is_a_problem(
    clients: Clients, service: str, tag: str, operation: str, given: list[str]
) -> None:
    answer = clients[service].detailed(tag, operation, *(uuid4() for _ in given))
    assert answer.status_code == 404
    assert (answer.parsed.status, answer.parsed.title) == (404, "Not Found")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("service", "tag", "operation"),
    [(service, tag, operation) for service, tag, operation, _ in LISTS]
    + [("reporting", "outages", "list_outages"), ("reporting", "maintenance", "list_windows"),
       ("reporting", "lost_facts", "list_lost_facts")],
)  # fmt: skip
def test_a_wrong_parameter_is_a_problem_that_names_it(clients: Clients, service: str, tag: str, operation: str) -> None:
    for given in ({"limit": 0}, {"sort": "nonsense"}, {"fields": "nonsense"}, {"cursor": "nonsense"}):
        problem = clients[service].call(tag, operation, **given)
        assert (problem.status, problem.code) == (422, "invalid")
        assert [error.field for error in problem.errors] == list(given)


def test_a_list_that_is_as_before_is_not_sent_again(clients: Clients) -> None:
    answer = clients["reporting"].detailed("maintenance", "list_windows")
    again = clients["reporting"].detailed("maintenance", "list_windows", if_none_match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")


def test_without_a_token_there_is_a_problem_and_how_to_authenticate(clients: Clients, services: Services) -> None:
    for service, tag, operation, _ in LISTS:
        stranger = PythonClient(clients[service].package, services.addresses[service], "nonsense")
        answer = stranger.detailed(tag, operation)
        assert (answer.status_code, answer.parsed.code) == (401, "unauthorized")
        assert "WWW-Authenticate" in answer.headers
        stranger.close()


def test_a_delivery_is_stopped_and_started(clients: Clients, services: Services) -> None:
    client = clients["forwarder"]
    page = client.call("deliveries", "list_deliveries", limit=1)
    delivery: UUID = page.items[0].delivery_id
    not_stopped = client.call("deliveries", "start_delivery", delivery)
    assert (not_stopped.status, not_stopped.code) == (409, "delivery_not_stopped")
    body = client.model("stop_request", "StopRequest")(reason="thử")
    assert (client.call("deliveries", "stop_delivery", delivery, body=body)).stopped
    assert (client.call("deliveries", "start_delivery", delivery)).delivery_id == delivery


def test_files_are_downloaded(clients: Clients, services: Services) -> None:
    table = clients["reporting"].call("compliance", "download_compliance")
    assert len(table.splitlines()) > 2
    report = clients["reporting"].call("compliance", "read_compliance")
    assert report.cameras[0].code in table
    cameras = clients["prober"].call("cameras", "list_cameras", limit=1)
    metrics = clients["prober"].call("prometheus", "probe", target=cameras.items[0].camera_id)
    assert "probe_success" in metrics
    prober = clients["prober"]
    body = prober.model("scan_request", "ScanRequest")(addresses=["127.0.0.1:1"])
    scan = prober.call("scans", "start_scan", body=body)
    assert "code" in prober.call("scans", "get_cameras_csv", scan.id)
