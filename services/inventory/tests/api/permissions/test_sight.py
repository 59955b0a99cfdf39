"""What is hidden from a caller is in no answer of any route: not by a list, a search, a file, an id or an error."""

import io
import re
import zipfile
from typing import Any
from uuid import uuid4

import pytest
from tests.unit.day import choose_of_day

from vonggac.auth import Role
from vonggac.auth.policy import INVENTORY, Entry, Reach

CALLERS = [
    (Role.PROVINCE_LEAD, "whole"), (Role.READER, "whole"), (Role.AUTHORITY, "facility"), (Role.AUTHORITY, "unit"),
    (Role.READER, "unit"), (Role.AUTHORITY, "several"), (Role.AUTHORITY, "nothing"), (Role.MANAGING_AGENCY, "agency"),
]  # fmt: skip
CALLERS_OF_THE_DAY = 3
WITHOUT_RESTRICTED = {Role.READER}
WITHOUT_PEOPLE = {Role.READER, Role.SERVICE}
WITHOUT_AUDIT = {Role.READER, Role.SERVICE, Role.OPERATOR, Role.MANAGING_AGENCY, Role.FACILITY}
WITH_WORKBOOKS = {(Role.READER, "whole"), (Role.AUTHORITY, "facility")}
"""Workbooks take their time: they are made of the same rows as CSV."""
LISTS = [entry for entry in INVENTORY if entry.method == "GET"]


def seen_by(world: Any, role: Role, scope: str) -> set[str]:
    """Names of the sites that the caller may see: written by hand, not with the code's own rule."""
    covered = set(world.scopes[scope][1])
    return covered - ({"secret"} if role in WITHOUT_RESTRICTED else set())


def paths(world: Any, entry: Entry) -> list[tuple[str, str | None]]:
    """The paths of a route, each with the site whose thing it names."""
    if "{" not in entry.path:
        return [(entry.path, None)]
    noun = entry.path.split("/")[2] if not entry.path.startswith("/v1/exports") else "facilities"
    made: list[tuple[str, str | None]] = []
    for name, site in world.sites.items():
        thing = site.things.get(noun)
        if thing is not None:
            first = re.sub(r"\{(thing_id|facility_id)\}", thing["id"], entry.path)
            made.append((re.sub(r"\{[^}]+\}", str(uuid4()), first), name))
    return made


def text_of(answer: Any) -> str:
    """All that an answer says, workbooks and documents unpacked."""
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return str(answer.text)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_no_route_shows_what_is_hidden_and_each_shows_what_is_seen(world: Any) -> None:
    for role, scope in choose_of_day(CALLERS, CALLERS_OF_THE_DAY, purpose="sight"):
        seen = seen_by(world, role, scope)
        found: dict[str, set[str]] = {name: set() for name in world.sites}
        with world.as_caller(role, *world.scopes[scope][0]) as client:
            for entry in LISTS:
                if ".xlsx" in entry.path and (role, scope) not in WITH_WORKBOOKS:
                    continue
                for path, name in paths(world, entry):
                    await check_sight(world, client, entry, path, name, seen, found)
        for name in seen:
            # Seen means seen: by most routes, at least.
            assert len(found[name]) > 25, (role, scope, name, sorted(found[name]))


async def check_sight(
    world: Any, client: Any, entry: Entry, path: str, name: str | None, seen: set[str], found: dict[str, set[str]]
) -> None:
    """Call one route, and note the sites that its answer names."""
    params = {"to": world.sites[name or "open"].things["connection-plans"]["id"]}
    answer = await client.get(path, params=params if path.endswith("/difference") else None)
    assert answer.status_code < 500, (path, answer.text)
    said = text_of(answer)
    for other, site in world.sites.items():
        if site.mark in said or (other != name and any(one in said for one in site.ids)):
            assert other in seen, (entry.key, other, said[:2000])
            found[other].add(entry.path)
    if name is not None and name not in seen and not path.endswith("/history"):
        assert answer.status_code in {403, 404, 422}, (path, answer.text)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_totals_searches_filters_and_the_past_show_no_more_than_the_lists(world: Any) -> None:
    for role, scope in choose_of_day(CALLERS, CALLERS_OF_THE_DAY, purpose="totals"):
        await check_totals(world, role, scope)


async def check_totals(world: Any, role: Role, scope: str) -> None:
    """As the test's name says, of one caller."""
    seen = seen_by(world, role, scope)
    nouns = world.sites["open"].things
    with world.as_caller(role, *world.scopes[scope][0]) as client:
        for noun in nouns:
            listed = (await client.get(f"/v1/{noun}", params={"total": "true"})).json()
            assert listed["total"] == len(listed["items"]) == len(seen), (noun, listed)
        for name, site in world.sites.items():
            count = 1 if name in seen else 0
            for path, params in (
                ("cameras", {"q": site.mark}), ("cameras", {"facility_id": site.facility["id"]}),
                ("cameras", {"unit_id": site.unit["id"]}), ("cameras", {"code": f"C-{site.mark}"}),
                ("facilities", {"q": site.mark}), ("facilities", {"code": site.facility["code"]}),
                ("facilities", {"as_of": site.things["journal-entries"]["changed_at"], "q": site.mark}),
                ("focal-points", {"q": site.mark}), ("visits", {"facility_id": site.facility["id"]}),
                ("journal-entries", {"about_id": site.facility["id"]}),
            ):  # fmt: skip
                answer = await client.get(f"/v1/{path}", params=params | {"total": "true"})
                assert (answer.json()["total"], len(answer.json()["items"])) == (count, count), (path, params)
        restricted = (await client.get("/v1/facilities", params={"restricted": "true"})).json()["items"]
        assert [one["code"] for one in restricted] == (["KCL-dau-secret"] if "secret" in seen else [])
        [duty] = (await client.get("/v1/obligations")).json()["items"] or [{"facility_ids": []}]
        known = {world.sites[name].facility["id"] for name in seen}
        assert set(duty["facility_ids"]) <= known


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VIEWER])
async def test_phones_and_addresses_are_read_and_found_by_their_right_alone(world: Any, role: Role) -> None:
    scope = (f"unit:{world.sites['open'].unit['parent_id']}",)
    with world.as_caller(role, *scope) as client:
        [person] = (await client.get("/v1/focal-points", params={"q": "dau-open"})).json()["items"]
        item = (await client.get(f"/v1/focal-points/{person['id']}")).json()
        visit = (await client.get(f"/v1/visits/{world.sites['open'].things['visits']['id']}")).json()
        survey = (await client.get(f"/v1/surveys/{world.sites['open'].things['surveys']['id']}")).json()
        by_phone = (await client.get("/v1/focal-points", params={"q": "0911000001"})).json()["items"]
        by_email = (await client.get("/v1/focal-points", params={"q": "y.dau-open@qt.vn"})).json()["items"]
        members = (await client.get("/v1/team-members")).json()["items"]
    hidden = role in WITHOUT_PEOPLE
    shown = ("***", "***", "***", "***") if hidden else ("0911000001", "y.dau-open@qt.vn", "0911000001", "0911000001")
    assert (item["phone"], item["email"], visit["gate_phone"], survey["lead_phone"]) == shown
    assert person["phone"] == shown[0]
    assert [len(by_phone), len(by_email)] == ([0, 0] if hidden else [1, 1])
    assert {one["phone"] for one in members} == ({"***"} if hidden else {"0911000009"})


async def test_who_is_named_to_view_pictures_reads_nothing_by_that_alone(world: Any) -> None:
    with world.as_caller(Role.VIEWER) as client:
        for path in (
            "facilities",
            "cameras",
            "focal-points",
            "changes",
            f"visits/{world.sites['open'].things['visits']['id']}",
        ):
            assert (await client.get(f"/v1/{path}")).status_code == 403, path


async def test_phones_are_hidden_in_files_and_the_log_too(world: Any) -> None:
    files = ("focal-points.csv", "facilities.csv", "team-members.csv", "visits.csv", "surveys.csv", "focal-points.xlsx")
    for role, shown in ((Role.READER, False), (Role.AUTHORITY, True)):
        with world.as_caller(role) as client:
            for name in files:
                said = text_of(await client.get(f"/v1/exports/{name}"))
                assert ("0911000001" in said or "0911000009" in said) is shown, (role, name)
    # Nobody has the one right without the other yet: the log of a caller without phones is made for the test.
    log = await world.province.client.get("/v1/changes", params={"noun": "focal_point", "limit": 10})
    assert "0911000001" in log.text


async def test_a_hidden_phone_is_not_written_back(world: Any) -> None:
    with world.as_caller(Role.READER) as client:
        exported = (await client.get("/v1/exports/focal-points.csv")).text
    headers = {"content-type": "text/csv"}
    answer = await world.province.client.post("/v1/imports/focal-points", content=exported.encode(), headers=headers)
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"phone", "email"}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VIEWER])
async def test_the_log_is_read_by_its_right_alone(world: Any, role: Role) -> None:
    site = world.sites["open"]
    with world.as_caller(role, f"facility:{site.facility['id']}") as client:
        log = await client.get("/v1/changes")
        one = await client.get(f"/v1/cameras/{site.things['cameras']['id']}/history")
        hidden = await client.get(f"/v1/cameras/{world.sites['other'].things['cameras']['id']}/history")
    if role in WITHOUT_AUDIT:
        assert {log.status_code, one.status_code, hidden.status_code} == {403}
        assert "read_audit" in log.text
        return
    lines = log.json()["items"]
    assert {"facility", "camera", "delivery", "focal_point", "visit"} <= {line["noun"] for line in lines}
    assert one.json()["items"]
    assert hidden.json()["items"] == []


async def test_what_was_restricted_later_is_hidden_with_its_past_and_its_removal(world: Any) -> None:
    site, client = world.sites["other"], world.province.client
    path = f"/v1/facilities/{site.facility['id']}"
    before = site.things["journal-entries"]["changed_at"]
    await world.province.remove(f"/v1/cameras/{site.things['cameras']['id']}")
    with world.as_caller(Role.READER):
        assert (await client.get(path, params={"as_of": before})).status_code == 200
        assert (await client.get(f"/v1/cameras/{site.things['cameras']['id']}")).status_code == 410
    assert (await world.province.change(path, json={"restricted": True})).status_code == 200
    with world.as_caller(Role.READER):
        then = await client.get(path, params={"as_of": before})
        gone = await client.get(f"/v1/cameras/{site.things['cameras']['id']}")
        never = await client.get(f"/v1/cameras/{uuid4()}")
    assert then.status_code == 404
    assert (gone.status_code, gone.json()["detail"]) == (404, never.json()["detail"])


async def test_an_error_about_what_is_hidden_is_that_of_what_never_was(world: Any) -> None:
    secret = world.sites["secret"]
    with world.as_caller(Role.READER) as client:
        hidden = await client.get(f"/v1/facilities/{secret.facility['id']}")
        never = await client.get(f"/v1/facilities/{uuid4()}")
        assert hidden.status_code == never.status_code == 404
        assert {**hidden.json(), "instance": None} == {**never.json(), "instance": None}
    with world.as_caller(Role.PROVINCE_LEAD, f"facility:{world.sites['open'].facility['id']}") as client:
        for reference in (secret.facility["id"], str(uuid4())):
            camera = {"code": f"N-{reference[:4]}", "name": "x", "url": "rtsp://10.1.1.9/1", "facility_id": reference}
            refused = await client.post("/v1/cameras", json=camera)
            assert (refused.status_code, refused.json()["errors"][0]["message"]) == (
                422,
                "there is no facility with this id",
            )
        for method in ("PATCH", "DELETE"):
            for thing in (secret.things["cameras"]["id"], str(uuid4())):
                one = await client.request(method, f"/v1/cameras/{thing}", json={}, headers={"If-Match": "*"})
                assert one.status_code == 404, one.text
        same = {"code": "N-2", "name": "x", "facility_id": world.sites["open"].facility["id"]}
        doubled = await client.post("/v1/cameras", json=same | {"url": secret.things["cameras"]["url"]})
    assert doubled.status_code == 409
    assert secret.mark not in doubled.text


async def test_what_is_written_stays_within_the_scope(world: Any) -> None:
    here, there = world.sites["open"], world.sites["other"]
    scope = f"facility:{here.facility['id']}"
    path = f"/v1/cameras/{here.things['cameras']['id']}"
    with world.as_caller(Role.OPERATOR, scope) as client:
        good = await world.province.change(path, json={"name": "Cổng chính"})
        new = {"code": "M-1", "name": "Mới", "url": "rtsp://10.9.9.9/1", "facility_id": here.facility["id"]}
        added = await client.post("/v1/cameras", json=new)
        facility = {"code": "KCL-X", "name": "X", "type": "school", "unit_id": here.unit["id"]}
        outside = await client.post("/v1/facilities", json=facility | {"managing_agency_id": here.agency["id"]})
        whole = await client.post("/v1/agencies", json={"code": "A", "name": "n", "role": "lead"})
        bulk = await client.post("/v1/cameras/bulk", json=[new | {"code": "M-2", "facility_id": there.facility["id"]}])
    assert (good.status_code, added.status_code) == (200, 201)
    with world.as_caller(Role.PROVINCE_LEAD, scope):
        moved = await world.province.change(path, json={"facility_id": there.facility["id"]})
    assert (moved.status_code, bulk.status_code) == (422, 422)
    assert (outside.status_code, outside.json()["code"]) == (403, "outside_scope")
    assert (whole.status_code, whole.json()["code"]) == (403, "scope_too_narrow")
    with world.as_caller(Role.OPERATOR, f"agency:{here.agency['id']}") as client:
        mine = facility | {"managing_agency_id": here.agency["id"], "status": "planned"}
        made = await client.post("/v1/facilities", json=mine)
        assert made.status_code == 201
        handed = {"managing_agency_id": there.agency["id"]}
        away = await world.province.change(f"/v1/facilities/{made.json()['id']}", json=handed)
    assert (away.status_code, away.json()["code"]) == (403, "outside_scope")


async def test_an_obligation_that_names_one_more_facility_of_the_caller_is_not_called_unchanged(world: Any) -> None:
    [duty] = (await world.province.client.get("/v1/obligations")).json()["items"]
    path, theirs = f"/v1/obligations/{duty['id']}", world.sites["other"]
    scope = (f"agency:{theirs.agency['id']}", f"facility:{world.sites['secret'].facility['id']}")
    with world.as_caller(Role.AUTHORITY, *scope) as client:
        before = await client.get(path)
    handed = {"managing_agency_id": theirs.agency["id"]}
    facility = f"/v1/facilities/{world.sites['open'].facility['id']}"
    assert (await world.province.change(facility, json=handed)).status_code == 200
    with world.as_caller(Role.AUTHORITY, *scope) as client:
        after = await client.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert [len(answer.json()["facility_ids"]) for answer in (before, after)] == [1, 2]


async def test_a_scope_by_a_district_follows_what_becomes_of_it_and_never_widens(world: Any) -> None:
    """From 01/7/2025 there are no districts: their communes were merged, some across the border of two districts."""
    province, here, there = world.province, world.sites["open"], world.sites["other"]
    new = {"level": "commune", "parent_id": (await province.unit(code="44", name="Tỉnh mới", level="province"))["id"]}
    merged = [{"unit_id": here.unit["id"], "kind": "merged"}]
    across = [*merged, {"unit_id": there.unit["id"], "kind": "merged"}]
    within = await province.unit(name="Xã mới", succeeds=merged, **new)
    mixed = await province.unit(name="Xã chung", succeeds=across, **new)
    for number, unit in enumerate((within, mixed)):
        await province.facility(code=f"MOI-{number}", name="n", unit_id=unit["id"])
    district = f"/v1/units/{here.unit['parent_id']}"
    ended = await province.change(district, json={"valid_to": "2025-06-30"})
    assert ended.status_code == 200, ended.text
    with world.as_caller(Role.AUTHORITY, f"unit:{here.unit['parent_id']}") as client:
        listed = (await client.get("/v1/facilities", params={"total": "true"})).json()
    assert {one["code"] for one in listed["items"]} == {"KCL-dau-open", "KCL-dau-secret", "MOI-0"}
    assert listed["total"] == 3
    with world.as_caller(Role.AUTHORITY, f"unit:{new['parent_id']}") as client:
        listed = (await client.get("/v1/facilities")).json()
    assert {one["code"] for one in listed["items"]} == {"MOI-0", "MOI-1"}


async def test_a_kept_answer_is_given_to_those_who_see_as_much(world: Any) -> None:
    key = {"Idempotency-Key": '"one"'}
    body = {"code": "K-1", "name": "x", "url": "rtsp://10.9.9.8/1", "facility_id": world.sites["open"].facility["id"]}
    with world.as_caller(Role.OPERATOR) as client:
        assert (await client.post("/v1/cameras", json=body, headers=key)).status_code == 201
    with world.as_caller(Role.OPERATOR, f"facility:{world.sites['other'].facility['id']}") as client:
        again = await client.post("/v1/cameras", json=body, headers=key)
    assert again.status_code == 422
    assert "K-1" not in again.text


def test_every_noun_of_a_facility_is_in_this_province(world: Any) -> None:
    # The addresses of a centre are narrowed by their cameras (test_served.py), the centre itself is the province's.
    of_province = {"obligations", "teams", "team-members", "decision-requests", "destinations"}
    narrowed = {
        entry.path.split("/")[2] for entry in INVENTORY if entry.reach is Reach.NARROWED and "{thing_id}" in entry.path
    }
    assert narrowed - of_province == world.sites["open"].things.keys()
