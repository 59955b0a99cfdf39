"""What was removed is said to be gone to whom saw it; a refusal names nothing that its caller does not see."""

from typing import Any

import pytest

from vonggac.auth import Role


@pytest.mark.parametrize("scope", ["facility", "unit"])
async def test_what_was_removed_is_gone_to_whom_saw_it_and_never_was_to_others(world: Any, scope: str) -> None:
    """Of every noun that belongs to a facility, and of the team that was there with its people."""
    ours, theirs = world.sites["open"].things, world.sites["other"].things
    member, team = (await listed(world, "team-members"))[0], world.team
    stays = {"facilities", "journal-entries", "maintenance-windows", "focal-points"}
    # The team goes after the visits.
    gone = [(path, thing) for path, thing in reversed(ours.items()) if path not in stays]
    gone += [("visits", theirs["visits"]), ("visits", world.sites["secret"].things["visits"])]
    gone += [("team-members", member), ("teams", team)]
    for path, thing in gone:
        removed = await world.province.remove(f"/v1/{path}/{thing['id']}")
        assert removed.status_code in {204, 410}, (path, removed.text)
    with world.as_caller(Role.AUTHORITY, *world.scopes[scope][0]) as client:
        for path, thing in gone:
            answer = await client.get(f"/v1/{path}/{thing['id']}")
            seen = thing["id"] != theirs["visits"]["id"] and (
                scope == "unit" or thing["id"] != world.sites["secret"].things["visits"]["id"]
            )
            assert (answer.status_code, path) == (410 if seen else 404, path), answer.text
    with world.as_caller(Role.AUTHORITY, *world.scopes["nothing"][0]) as client:
        for path, thing in gone:
            assert (await client.get(f"/v1/{path}/{thing['id']}")).status_code == 404, path


async def listed(world: Any, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await world.province.client.get(f"/v1/{path}")).json()["items"]
    return items


async def test_a_removed_team_of_the_scopes_agency_is_gone_to_it(world: Any) -> None:
    agency = await world.province.agency(code="VNPT", role="operator")
    team = await world.province.post("/v1/teams", {"code": "DOI-2", "name": "Đội 2", "agency_id": agency["id"]})
    await world.province.remove(f"/v1/teams/{team['id']}")
    for scope, status in ((f"agency:{agency['id']}", 410), (world.scopes["agency"][0][0], 404)):
        with world.as_caller(Role.AUTHORITY, scope) as client:
            assert (await client.get(f"/v1/teams/{team['id']}")).status_code == status, scope


@pytest.mark.parametrize("hidden", ["other", "secret"])
async def test_a_file_names_no_recorder_that_its_caller_does_not_see(world: Any, hidden: str) -> None:
    """A camera of its facility plays a channel of it."""
    mine, theirs = world.sites["open"], world.sites[hidden].things["recorders"]
    played = {"recorder_id": theirs["id"], "channel": 1}
    changed = await world.province.change(f"/v1/cameras/{mine.things['cameras']['id']}", json=played)
    assert changed.status_code == 200, changed.text
    with world.as_caller(Role.PROVINCE_LEAD, f"facility:{mine.facility['id']}") as client:
        answer = await client.get("/v1/exports/cameras.csv")
        assert theirs["code"] not in answer.text
        back = await client.post("/v1/imports/cameras", content=answer.content, headers={"content-type": "text/csv"})
        assert [error["field"] for error in back.json()["errors"]] == ["recorder_code"], back.text
    whole = await world.province.client.get("/v1/exports/cameras.csv")
    assert theirs["code"] in whole.text


@pytest.mark.parametrize("way", ["one", "bulk"])
async def test_a_refused_removal_names_what_its_caller_sees_alone(world: Any, way: str) -> None:
    """A camera of another facility plays a channel of this recorder."""
    mine, theirs = world.sites["open"].things, world.sites["other"].things
    recorder = mine["recorders"]
    played = {"recorder_id": recorder["id"], "channel": 1}
    await world.province.change(f"/v1/cameras/{theirs['cameras']['id']}", json=played)

    async def refused() -> str:
        scope = f"facility:{world.sites['open'].facility['id']}"
        with world.as_caller(Role.PROVINCE_LEAD, scope) as client:
            if way == "one":
                answer = await world.province.remove(f"/v1/recorders/{recorder['id']}")
            else:
                item = {"id": recorder["id"], "etag": recorder["etag"]}
                params = {"reason": "nhập nhầm"}
                answer = await client.post("/v1/recorders/bulk/remove", json=[item], params=params)
        assert (answer.status_code, answer.json()["code"]) == (409, "referred_to"), answer.text
        assert theirs["cameras"]["code"] not in answer.text
        return str(answer.json())

    assert "1 cameras still refer to it, outside what the token is for" in await refused()
    await world.province.change(
        f"/v1/cameras/{mine['cameras']['id']}", json={"recorder_id": recorder["id"], "channel": 2}
    )
    assert f"2 cameras still refer to it: {mine['cameras']['code']}, …" in await refused()


@pytest.mark.parametrize("kind", ["cameras", "visits", "deliveries", "teams"])
async def test_a_note_about_what_was_removed_is_still_read_by_whom_saw_it(world: Any, kind: str) -> None:
    """A journal is for the day when nobody remembers what the thing was; it outlives the thing."""
    singular = {"cameras": "camera", "visits": "visit", "deliveries": "delivery", "teams": "team"}[kind]
    notes: dict[str, str] = {}
    for name, site in world.sites.items():
        thing = site.things[kind] if kind != "teams" else world.team
        body = {"about_noun": singular, "about_id": thing["id"], "text": f"Đã gỡ {name}"}
        notes[name] = (await world.province.post("/v1/journal-entries", body))["id"]
    before = (await world.province.client.get(f"/v1/journal-entries/{notes['secret']}")).json()["changed_at"]
    gone = {site.things[path]["id"]: path for site in world.sites.values() for path in (["visits", "cameras"])}
    if kind == "deliveries":
        gone = {site.things[kind]["id"]: kind for site in world.sites.values()}
    for thing_id, path in gone.items():
        removed = await world.province.remove(f"/v1/{path}/{thing_id}")
        assert removed.status_code == 204, removed.text
    if kind == "teams":
        for member in await listed(world, "team-members"):
            await world.province.remove(f"/v1/team-members/{member['id']}")
        assert (await world.province.remove(f"/v1/teams/{world.team['id']}")).status_code == 204
    everybody = {"open", "other", "secret"}
    for scope, (parts, covered) in world.scopes.items():
        wanted = everybody if kind == "teams" and covered else covered
        with world.as_caller(Role.AUTHORITY, *parts) as client:
            for params in ({}, {"as_of": before}):
                items = (await client.get("/v1/journal-entries", params={"q": "Đã gỡ", **params})).json()["items"]
                assert {each["id"] for each in items} == {notes[name] for name in wanted}, (scope, params)
            for name, note in notes.items():
                answer = await client.get(f"/v1/journal-entries/{note}")
                assert answer.status_code == (200 if name in wanted else 404), (scope, name)
