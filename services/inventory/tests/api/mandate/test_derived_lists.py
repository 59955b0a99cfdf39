"""Lists that follow from several nouns: pages, totals, sort, fields and conditions as the lists of nouns have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx
    from services.inventory.tests.api.mandate.conftest import Letter

DAYS = {"first_day": "2021-05-01", "last_day": "2021-05-31"}


class Lists:
    """A register in which every such list has three rows. `paths`: each with what it is asked by, and its key."""

    def __init__(self, letter: Letter) -> None:
        self.letter, self.province, self.client = letter, letter.province, letter.client
        self.facility: dict[str, Any] = {}
        self.paths: dict[str, tuple[str, dict[str, str], str]] = {}

    async def write(self) -> None:
        province, letter = self.province, self.letter
        self.facility = await province.facility(valid_from="2021-05-07")
        for day in ("2021-05-08", "2021-05-09"):
            await province.facility(valid_from=day)
        for number, due in enumerate(("2021-05-10", "2021-05-18", None)):
            await letter.obligation(code=f"NV-{number}", due_before=due)
        team = await province.post("/v1/teams", {"code": "VT", "name": "Tổ 1", "agency_id": letter.lead["id"]})
        for number in (8, 9, 10):
            hours = {
                "planned_from": f"2021-05-{number:02}T08:00:00+07:00",
                "planned_to": f"2021-05-{number:02}T09:00:00+07:00",
            }
            visit = {"facility_id": self.facility["id"], "team_id": team["id"], "purpose": "survey"}
            await province.post("/v1/visits", visit | hours)
        for code in ("TT-1", "TT-2", "TT-3"):
            await province.destination(code=code)
        await province.camera(facility_id=self.facility["id"])
        photos = [
            {"sha256": f"{number}" * 64, "name": f"{number}.jpg", "media_type": "image/jpeg", "size_bytes": 9}
            for number in range(3)
        ]
        survey = await province.post(
            "/v1/surveys", {"code": "KS-1", "facility_id": self.facility["id"], "attachments": photos}
        )
        self.paths = {
            "due-obligations": ("/v1/due-obligations", {}, "id"),
            "due-inspections": ("/v1/due-inspections", {}, "facility_id"),
            "team-workload": ("/v1/team-workload", DAYS, "day"),
            "connections": (f"/v1/facilities/{self.facility['id']}/connections", {}, "delivery_id"),
            "chain": (f"/v1/directives/{letter.directives['1742']['id']}/chain", {}, "id"),
            "attachments": (f"/v1/surveys/{survey['id']}/attachments", {}, "sha256"),
            "vendors": ("/v1/vendors", {}, "vendor"),
        }

    async def get(self, name: str, **query: Any) -> httpx.Response:
        path, asked, _ = self.paths[name]
        return await self.client.get(path, params=asked | query)


NAMES = ("due-obligations", "due-inspections", "team-workload", "connections", "chain", "attachments", "vendors")


@pytest.fixture
async def lists(letter: Letter) -> Lists:
    made = Lists(letter)
    await made.write()
    return made


async def test_such_lists_are_read_as_the_lists_of_nouns_are(lists: Lists) -> None:
    for name in NAMES:
        _, _, key = lists.paths[name]
        whole = await lists.get(name, total=True)
        assert whole.status_code == 200, (name, whole.text)
        rows = [item[key] for item in whole.json()["items"]]
        assert whole.json()["total"] == len(rows) >= 3, name
        found, cursor = list[str](), None
        while cursor is not None or not found:
            page = await lists.get(name, limit=1, **({"cursor": cursor} if cursor else {}))
            assert page.status_code == 200, (name, page.text)
            found += [item[key] for item in page.json()["items"]]
            cursor = page.json()["next"]
            assert (cursor is not None) == ("Link" in page.headers)
        assert found == rows, name
        sparse = (await lists.get(name, fields=key)).json()["items"]
        assert sparse == [{key: each} for each in rows], name


async def test_such_lists_are_sorted_either_way(lists: Lists) -> None:
    keys = {"due-obligations": "code", "due-inspections": "due_on", "team-workload": "day", "chain": "place"}
    keys |= {"connections": "destination_code", "attachments": "name", "vendors": "name"}
    for name, sort in keys.items():
        up, down = [(await lists.get(name, sort=each)).json()["items"] for each in (sort, f"-{sort}")]
        assert up == down[::-1], name


async def test_such_lists_refuse_what_they_do_not_know(lists: Lists) -> None:
    for name in NAMES:
        for query in ({"distrct": "461"}, {"sort": "colour"}, {"fields": "colour"}, {"limit": 0}, {"cursor": "x"}):
            refused = await lists.get(name, **query)
            assert refused.status_code == 422, (name, query, refused.text)
            assert refused.json()["errors"][0]["field"] == next(iter(query))


async def test_an_unchanged_list_is_not_sent_again(lists: Lists) -> None:
    for name in NAMES:
        path, asked, _ = lists.paths[name]
        first = await lists.get(name)
        again = await lists.client.get(path, params=asked, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b""), name


async def test_the_pages_of_such_a_list_show_one_instant(lists: Lists) -> None:
    first = (await lists.get("due-obligations", limit=1)).json()
    await lists.letter.obligation(code="NV-1-B", due_before="2021-05-12")
    second = (await lists.get("due-obligations", limit=5, cursor=first["next"])).json()["items"]
    assert [one["code"] for one in second] == ["NV-1", "NV-2"]
    assert len((await lists.get("due-obligations")).json()["items"]) == 4


async def test_what_is_due_is_filtered(lists: Lists) -> None:
    operator, facility = lists.letter.operator["id"], lists.facility["id"]
    await lists.letter.obligation(code="KT", kind="inspection", due_before=None, facility_ids=[facility])

    async def codes(**query: str) -> list[str]:
        return [one["code"] for one in (await lists.get("due-obligations", **query)).json()["items"]]

    assert await codes(kind="inspection", responsible_agency_id=operator) == ["KT"]
    assert len(await codes(facility_id=facility)) == 4
    assert await codes(facility_id=lists.letter.directives["1742"]["id"]) == []
    for query, count in (
        ({"facility_id": facility}, 1),
        ({"managing_agency_id": operator}, 0),
        ({"overdue_only": True}, 3),
    ):
        assert len((await lists.get("due-inspections", **query)).json()["items"]) == count


async def test_connections_and_makes_are_filtered(lists: Lists) -> None:
    (first, *_) = (await lists.get("connections")).json()["items"]
    for query, count in (({"destination_id": first["destination_id"]}, 1), ({"camera_id": first["camera_id"]}, 3)):
        assert len((await lists.get("connections", **query)).json()["items"]) == count
    assert (await lists.get("connections", plan="agreed")).json()["items"] == []
    assert len((await lists.get("connections", forwarded=False)).json()["items"]) == 3
    assert [one["vendor"] for one in (await lists.get("vendors", q="đầu ghi")).json()["items"]] == ["uniview_nvr"]
    assert "hikvision" in {one["vendor"] for one in (await lists.get("vendors", channels=True)).json()["items"]}


async def test_attachments_that_are_missing_are_found(lists: Lists) -> None:
    assert len((await lists.get("attachments", received=False)).json()["items"]) == 3
    assert (await lists.get("attachments", received=True)).json()["items"] == []
