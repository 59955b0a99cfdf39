"""Every role with every kind of scope, over HTTP at a running platform: who is let in where, and who sees what.

That the policy of every route is the mandate's, pure tests show (`by_hand` here, shared/tests/auth/policy).
"""

import asyncio
import io
import re
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import product
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from tests.contract.permission_cases import CASES, NEED_A_SCOPE, may
from tests.e2e.platform import RunningPlatform
from tests.unit.day import choose_of_day, is_every_case

from vonggac.auth import AccessScope, Role
from vonggac.auth.keys import token_issuer
from vonggac.auth.policy import POLICY, Entry, Reach
from vonggac.auth.rights import RIGHTS
from vonggac.testing import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(600)]

AT_ONCE = 8
SITES = {"open": "QT-01", "other": "QT-08", "secret": "QT-09"}
"""Facilities with a camera that is forwarded; the third is made restricted."""
SEEN = {
    "whole": {"open", "other", "secret"},
    "facility": {"open"},
    "agency": {"other"},
    "unit": {"secret"},
    "several": {"open", "secret"},
    "foreign": set[str](),
}


@dataclass
class Site:
    """What names a facility and what is in it."""

    facility: dict[str, Any]
    camera: dict[str, Any]

    @property
    def marks(self) -> list[re.Pattern[str]]:
        """Ids and codes of it, wherever they stand."""
        ids = [self.facility["id"], self.camera["id"], *(one["id"] for one in self.camera["deliveries"])]
        return [re.compile(re.escape(one)) for one in ids] + [re.compile(rf"\b{self.facility['code']}\b")]

    def is_in(self, said: str) -> bool:
        return any(mark.search(said) for mark in self.marks)


@dataclass
class Matrix:
    """The platform, and tokens of every kind."""

    running: RunningPlatform
    client: httpx.AsyncClient
    sites: dict[str, Site]

    def scope(self, kind: str) -> AccessScope | None:
        here, there, secret = (self.sites[name].facility for name in SITES)
        parts = {
            "whole": [],
            "facility": [f"facility:{here['id']}"],
            "agency": [f"agency:{there['managing_agency_id']}"],
            "unit": [f"unit:{secret['unit_id']}"],
            "several": [f"facility:{here['id']}", f"unit:{secret['unit_id']}"],
            "foreign": [f"agency:{uuid4()}", f"unit:{uuid4()}", f"facility:{uuid4()}"],
        }[kind]
        return AccessScope.parse(parts) if parts else None

    def headers(self, role: Role, kind: str) -> dict[str, str]:
        issuer = token_issuer(self.running.platform.state.keys)
        scope, lasts = self.scope(kind), timedelta(hours=1)
        token = issuer.issue(subject=f"{role}-{kind}", roles=frozenset({role}), valid_for=lasts, scope=scope)
        return {"Authorization": f"Bearer {token}"}

    async def call(self, service: str, method: str, path: str, headers: dict[str, str], **given: Any) -> httpx.Response:
        address = getattr(self.running.platform.addresses, service)
        return await self.client.request(method, f"{address}{path}", headers=headers, **given)

    async def has_present(self, headers: dict[str, str]) -> bool:
        """Whether reporting has accounted the present for the first time."""
        return (await self.call("reporting", "GET", "/v1/present", headers)).status_code == 200


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def matrix(running: RunningPlatform) -> AsyncIterator[Matrix]:
    await running.truth(within_s=240)
    sites = {}
    for name, code in SITES.items():
        [facility] = (await running.get("inventory", f"/v1/facilities?code={code}"))["items"]
        [camera] = (await running.get("inventory", f"/v1/cameras?code={code}-C01"))["items"]
        sites[name] = Site(facility, await running.get("inventory", f"/v1/cameras/{camera['id']}"))
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=httpx.Limits(keepalive_expiry=1.0)) as client:
        made = Matrix(running, client, sites)
        lead = made.headers(Role.PROVINCE_LEAD, "whole")
        path = f"/v1/facilities/{sites['secret'].facility['id']}"
        changed = await made.call(
            "inventory", "PATCH", f"{path}?reason=quân%20sự", lead | {"If-Match": "*"}, json={"restricted": True}
        )
        assert changed.status_code == 200, changed.text

        reader = made.headers(Role.READER, "whole")
        await eventually(partial(made.has_present, lead), within_s=120, what="the present in memory")

        async def is_hidden() -> bool:
            for service, path in (
                ("reporting", f"/v1/compliance?facility={SITES['secret']}"),
                ("prober", f"/v1/cameras/{sites['secret'].camera['id']}"),
            ):
                answer = await made.call(service, "GET", path, reader)
                assert answer.status_code in {404, 422}, (path, answer.status_code, answer.text[:300])
            return True

        await eventually(is_hidden, within_s=120, poll_s=1)
        yield made


def admitted(entry: Entry, role: Role, kind: str) -> bool:
    """By the policy, read here once more."""
    if role in NEED_A_SCOPE and kind == "whole":
        return False
    return set(entry.rights) <= RIGHTS[role] and (entry.reach is not Reach.PROVINCE or kind == "whole")


def anything(entry: Entry) -> str:
    """A path with ids of nobody, and a parameter that no route knows: who is let in gets 422, and no work is done."""
    path = entry.path.replace("{name}.svg", "availability.svg").replace("{form}", "pdf").replace("{sequence}", "1")
    path = path.replace("{sha256}", "0" * 64).replace("{metric}", "availability").replace("{name}", "cameras")
    return re.sub(r"\{[^}]+\}", str(uuid4()), path) + "?no_such_parameter=1"


CALLERS = list(product(Role, SEEN))


async def test_permission_matrix_by_hand_and_by_the_policy_agree() -> None:
    policy = {(service, *entry.key): entry for service, entries in POLICY.items() for entry in entries}
    wrong = [
        (case.service, case.method, case.path, role, kind)
        for case in CASES
        for role, kind in CALLERS
        if may(case, role, scoped=kind != "whole") != admitted(policy[case.service, case.method, case.path], role, kind)
    ]
    assert wrong == []


OTHERS_OF_THE_DAY = 30
"""For each role: routes that need what another one of their service needs."""


def calls_of(role: Role) -> Iterator[tuple[str, Entry, str]]:
    """Service, route and scope: one route of all that need the same, and what is written by hand; others by the day.

    Whether a token has a scope says who is let in, not which one it is: each route has one, in turn.
    """
    by_hand = {(case.service, case.method, case.path) for case in CASES}
    kinds: dict[tuple[Any, ...], tuple[str, Entry]] = {}
    for service, entries in POLICY.items():
        for entry in entries:
            kinds.setdefault(
                (service, frozenset(entry.rights), entry.reach, entry.by_link, entry.act), (service, entry)
            )
    routes = [(service, entry) for service, entries in POLICY.items() for entry in entries]
    one_of_each = [one for one in routes if one in kinds.values() or (one[0], *one[1].key) in by_hand]
    others = [one for one in routes if one not in one_of_each]
    scoped = [kind for kind in SEEN if kind != "whole"]
    asked = [*one_of_each, *choose_of_day(others, OTHERS_OF_THE_DAY, purpose=role)]
    for number, (service, entry) in enumerate(asked):
        for kind in SEEN if is_every_case() else ("whole", scoped[number % len(scoped)]):
            yield service, entry, kind


@pytest.mark.parametrize("role", list(Role))
async def test_permission_matrix_of_who_is_admitted(matrix: Matrix, role: Role) -> None:
    by_hand = {(case.service, case.method, case.path): case for case in CASES}
    gate, wrong, counted = asyncio.Semaphore(AT_ONCE), list[Any](), Counter[bool]()
    headers = {kind: matrix.headers(role, kind) for kind in SEEN}

    async def try_one(service: str, entry: Entry, kind: str) -> None:
        async with gate:
            answer = await matrix.call(service, entry.method, anything(entry), headers[kind])
        case = by_hand.get((service, *entry.key))
        expected = admitted(entry, role, kind) if case is None else may(case, role, scoped=kind != "whole")
        counted[expected] += 1
        known = {"forbidden", "scope_too_narrow"} if not expected else {"invalid", "validation_failed"}
        if answer.status_code != (422 if expected else 403) or answer.json()["code"] not in known:
            wrong.append((service, *entry.key, kind, answer.status_code, answer.text[:200]))

    await asyncio.gather(*(try_one(*call) for call in calls_of(role)))
    assert wrong == []
    assert sum(counted.values()) > 2 * 120
    assert counted[True] > 0
    assert counted[False] > 0


def routes_that_show(matrix: Matrix) -> Iterator[tuple[str, str, str | None]]:
    """GET routes with real ids: service, path, and the site that the path names."""
    for service, entries in POLICY.items():
        for entry in entries:
            # A stream has no end: what a reader sees of it is shown by reporting's test_present.
            if entry.method != "GET" or entry.path == "/v1/present/events":
                continue
            path = entry.path.replace("{name}.svg", "strips.svg")
            if "{name}" in path:
                for table in ("cameras", "camera_intervals", "facts", "outages", "maintenance", "progress_facilities"):
                    yield service, path.replace("{name}", table), None
                continue
            if "{" not in path and path != "/probe":
                yield service, path, None
                continue
            for name, site in matrix.sites.items():
                facility, camera = site.facility, site.camera
                thing = facility["id"] if "/facilities" in path else camera["id"]
                if "/deliveries/" in path:
                    thing = camera["deliveries"][0]["id"]
                if not re.search(r"/(cameras|facilities|deliveries)/|^/probe", path):
                    continue
                shown = re.sub(r"\{(thing_id|facility_id|camera_id|delivery_id|facility)\}", thing, path)
                yield service, shown + (f"?target={camera['id']}" if path == "/probe" else ""), name


def text_of(answer: httpx.Response) -> str:
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return answer.text


@pytest.mark.parametrize(
    ("role", "kind"),
    [(Role.AUTHORITY, kind) for kind in SEEN]
    # The scope says what is seen, whatever the role; a reader sees nothing that is restricted.
    + [(Role.READER, kind) for kind in ("whole", "unit", "several")]
    + [
        (Role.PROVINCE_LEAD, "whole"),
        (Role.PROVINCE_LEAD, "foreign"),
        (Role.OPERATOR, "several"),
        (Role.MANAGING_AGENCY, "agency"),
        (Role.FACILITY, "facility"),
        (Role.SERVICE, "unit"),
    ],
    ids=str,
)
async def test_permission_matrix_of_what_is_seen(matrix: Matrix, role: Role, kind: str) -> None:
    seen = SEEN[kind] - ({"secret"} if role is Role.READER else set())
    headers, gate = matrix.headers(role, kind), asyncio.Semaphore(AT_ONCE)
    found: dict[tuple[str, str], set[str]] = {}
    leaks: list[Any] = []

    async def check_route(service: str, path: str, named: str | None) -> None:
        async with gate:
            answer = await matrix.call(service, "GET", path, headers)
        said = text_of(answer)
        assert answer.status_code < 500, (service, path, said)
        for name, site in matrix.sites.items():
            # What a caller has asked by its id stands in the answer that says there is no such thing.
            if site.is_in(said) and not (name == named and answer.status_code >= 400):
                found.setdefault((service, name), set()).add(path)
                if name not in seen:
                    leaks.append((service, path, name, answer.status_code, said[:600]))
        if named is not None and named not in seen and answer.status_code == 200:
            empty = re.search(r"/(history|failures)", path) and answer.json()["items"] == []
            if not empty:
                leaks.append((service, path, named, "shown", said[:300]))

    await asyncio.gather(*(check_route(*route) for route in routes_that_show(matrix)))
    assert leaks == []
    for name, (service, least) in product(seen, {"inventory": 8, "prober": 3, "forwarder": 3, "reporting": 8}.items()):
        assert len(found.get((service, name), ())) >= least, (service, name, found.get((service, name)))


async def test_permission_matrix_of_totals(matrix: Matrix) -> None:
    """What is counted is what is listed: nobody learns of a hidden camera by a sum."""
    whole = await totals(matrix, Role.AUTHORITY, "whole")
    assert await totals(matrix, Role.SERVICE, "whole") == whole
    reader = await totals(matrix, Role.READER, "whole")
    assert {name: whole[name] - count for name, count in reader.items()} == {
        "facilities": 3, "cameras": 1, "probed": 1, "delivered": 2, "compliance": 1, "overview": 1, "national": 3,
        "board": 3,
    }  # fmt: skip
    # The agency manages QT-10 too.
    for kind, count in (("facility", 1), ("agency", 2), ("several", 2), ("foreign", 0)):
        found = await totals(matrix, Role.AUTHORITY, kind)
        assert (found["cameras"], found["probed"], found["compliance"], found["overview"]) == (count,) * 4, kind
        assert found["delivered"] == 2 * count


async def totals(matrix: Matrix, role: Role, kind: str) -> dict[str, int]:
    headers = matrix.headers(role, kind)

    async def read(service: str, path: str) -> Any:
        answer = await matrix.call(service, "GET", path, headers)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    compliance = await read("reporting", "/v1/compliance")
    return {
        "facilities": (await read("inventory", "/v1/facilities?total=true"))["total"],
        "cameras": (await read("inventory", "/v1/cameras?total=true"))["total"],
        "probed": (await read("prober", "/v1/cameras?total=true"))["total"],
        "delivered": (await read("forwarder", "/v1/deliveries?total=true"))["total"],
        "compliance": len(compliance["cameras"]),
        "overview": (await read("reporting", "/v1/overview"))["cameras"]["total"],
        "national": (await read("reporting", "/v1/national?total=true"))["total"],
        "board": (await read("reporting", "/v1/progress/facilities?total=true"))["total"],
    }


async def test_permission_matrix_of_what_an_operator_of_one_facility_may_do(matrix: Matrix) -> None:
    headers = matrix.headers(Role.OPERATOR, "facility")
    here, there = matrix.sites["open"].camera, matrix.sites["other"].camera
    for service, path, body in (
        ("prober", "/v1/probes", "camera_id"), ("prober", "/v1/verifications", "camera_id"),
    ):  # fmt: skip
        hidden = await matrix.call(service, "POST", path, headers, json={body: there["id"]})
        never = await matrix.call(service, "POST", path, headers, json={body: str(uuid4())})
        assert (hidden.status_code, hidden.json()["code"]) == (404, never.json()["code"]), hidden.text
        mine = await matrix.call(service, "POST", path, headers, json={body: here["id"]})
        assert mine.status_code in {200, 409, 429}, mine.text
    address = await matrix.call("prober", "POST", "/v1/probes", headers, json={"url": "rtsp://127.0.0.1:9/live"})
    assert (address.status_code, address.json()["code"]) == (403, "scope_too_narrow")
    for camera, status in ((there, 404), (here, 202)):
        delivery = camera["deliveries"][0]["id"]
        answer = await matrix.call("forwarder", "POST", f"/v1/deliveries/{delivery}/retry", headers)
        assert answer.status_code in {status, 409 if status == 202 else status}, answer.text
    stop = await matrix.call(
        "forwarder", "POST", f"/v1/deliveries/{there['deliveries'][0]['id']}/stop", headers, json={"reason": "không"}
    )
    assert (stop.status_code, stop.json()["code"]) == (404, "delivery_unknown")
    fresh = await matrix.call("prober", "GET", f"/probe?target={there['id']}&fresh=true", headers)
    assert fresh.status_code == 404


async def test_permission_matrix_of_a_chart_of_a_frozen_report(matrix: Matrix) -> None:
    path = f"/v1/charts/strips.svg?report={uuid4()}"
    for role, kind, status in (
        (Role.AUTHORITY, "whole", 404), (Role.READER, "whole", 403), (Role.AUTHORITY, "facility", 403),
    ):  # fmt: skip
        answer = await matrix.call("reporting", "GET", path, matrix.headers(role, kind))
        assert answer.status_code == status, answer.text
