"""The present over HTTP: counts of the accounts, rows that add up to them, and a stream of what changes."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import pytest_asyncio

from vonggac.auth import Role
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings

NUMBERS = [
    ("total", {}),
    ("up", {"state": "up"}),
    ("down", {"state": "down"}),
    ("unknown", {"state": "unknown"}),
    ("out_of_scope", {"state": "out_of_scope"}),
    ("both", {"connected": "both"}),
    ("national_only", {"connected": "national_only"}),
    ("neither", {"connected": "neither"}),
    ("connection_unknown", {"connected": "unknown"}),
    ("national_connected", {"connected": "national"}),
    ("provincial_connected", {"connected": "provincial"}),
    ("compliant", {"compliant": "compliant"}),
    ("non_compliant", {"compliant": "non_compliant"}),
    ("compliance_unknown", {"compliant": "unknown"}),
]


class Stage:
    """Four cameras: one complies, one lacks the province's centre, one is down, one is switched off; and a restricted
    one."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self.secret = uuid4()
        self.well, self.half = province.camera("CAM-01", name="Cổng chính"), province.camera("CAM-02", name="Sân sau")
        self.down, self.off = province.camera("CAM-03"), province.camera("CAM-04", enabled=False)
        self.hidden = province.camera("CAM-05", facility_id=self.secret)
        self.now = province.now - timedelta(seconds=5)

    async def feed(self, ingest: Ingest) -> None:
        province, at = self.province, self.now
        secret = province.facility_state(id=self.secret, code="QS-01", restricted=True)
        cameras = [self.well, self.half, self.down, self.off, self.hidden]
        facts = [*(province.probe(one, at, every_s=600) for one in (self.well, self.half, self.hidden))]
        facts += [province.probe(self.down, at + timedelta(seconds=n), "down", cause="timeout") for n in (0, 1)]
        for number, one in enumerate((self.well, self.half, self.down)):
            national, provincial = one.deliveries
            state, cause = ("backing_off", "refused") if one is self.half else ("acknowledged", None)
            facts.append(province.change(national, one, 2 * number + 1, at, "acknowledged"))
            facts.append(province.change(provincial, one, 2 * number + 2, at, state, cause=cause))
        states = [province.stated("camera", one) for one in cameras]
        await province.feed(ingest, *province.base(), province.stated("facility", secret), *states)
        await province.feed(ingest, *province.watched(province.now), *facts)


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Workers are presumed alive for as long as a busy machine needs."""
    monkeypatch.setattr("reporting.app.PRESENT_EVERY_S", 0.2)
    return settings.model_copy(update={"presumed_alive_s": 300.0})


@pytest_asyncio.fixture
async def stage(ingest: Ingest, province: Province) -> Stage:
    made = Stage(province)
    await made.feed(ingest)
    return made


async def present(client: Client, total: int = 5, up: int = 3) -> dict[str, Any]:
    """The present, as soon as it is of so many cameras."""

    async def loaded() -> dict[str, Any] | None:
        answer = await client.get("/v1/present")
        body: dict[str, Any] = answer.json()
        is_there = answer.status_code == 200 and (body["cameras"]["total"], body["cameras"]["up"]) == (total, up)
        return body if is_there else None

    found = await eventually(loaded, within_s=60)
    assert found is not None
    return found


async def test_the_counts_are_those_of_the_accounts_and_rows_add_up_to_them(client: Client, stage: Stage) -> None:
    found = await present(client)
    cameras = found["cameras"]
    shown = {name: cameras[name] for name in ("up", "down", "out_of_scope", "both", "national_only", "compliant")}
    assert shown == {"up": 3, "down": 1, "out_of_scope": 1, "both": 2, "national_only": 1, "compliant": 1}
    report = (await client.get("/v1/overview")).json()["cameras"]
    assert {name: cameras[name] for name in report} == report
    for name, query in NUMBERS:
        page = (await client.get("/v1/present/cameras", params={**query, "limit": 1, "total": "true"})).json()
        assert page["total"] == cameras[name], name
    for line in found["by_cause"]:
        query = {"state": line["state"], "cause": line["cause"], "total": "true"}
        assert (await client.get("/v1/present/cameras", params=query)).json()["total"] == line["cameras"]
    for line in found["by_destination"]:
        for word in ("connected", "not_connected", "unknown", "out_of_scope"):
            for named in (line["code"], line["id"]):
                query = {"destination": named, "delivery": word, "total": "true"}
                assert (await client.get("/v1/present/cameras", params=query)).json()["total"] == line[word]
    for group in ("by_unit", "by_agency", "by_type", "by_facility"):
        assert sum(line["cameras"]["total"] for line in found[group]) == 5
    assert found["confirmed"] == {"up": 3, "down": 1, "maintenance": 0, "unknown": 0, "out_of_scope": 1}
    assert found["facilities"] == {"total": 2, "with_cameras": 2, "without_cameras": 0}
    assert found["narrowed"] is False


async def test_facility_has_lacked_for_as_long_as_its_rows_that_lack(client: Client, stage: Stage) -> None:
    found = await present(client)
    rows = (await client.get("/v1/present/cameras", params={"limit": 9})).json()["items"]
    for line in found["by_facility"]:
        since = [
            role["since"]
            for row in rows
            if row["facility_id"] == line["id"] and row["connection"] != "out_of_scope"
            for role in (row["national"], row["provincial"])
            if role["connected"] is not True and role["since"]
        ]
        assert line["lacking_since"] == min(since, default=None), line["code"]
    lacking = {line["code"]: line["lacking_since"] for line in found["by_facility"]}
    assert datetime.fromisoformat(lacking["KCL-01"]) <= stage.now


async def test_a_row_says_which_centre_lacks_and_since_when(client: Client, stage: Stage) -> None:
    found = await present(client)
    page = (await client.get("/v1/present/cameras", params={"q": "SAN cam-02"})).json()
    (row,) = page["items"]
    assert (row["camera_code"], row["connection"], row["compliant"]) == ("CAM-02", "national_only", False)
    assert (row["national"]["connected"], row["national"]["state"]) == (True, "acknowledged")
    lacking = row["provincial"]
    assert (lacking["connected"], lacking["state"], lacking["cause"]) == (False, "backing_off", "refused")
    assert (lacking["deliveries"], lacking["destination_code"]) == (1, "D2")
    assert datetime.fromisoformat(row["since"]) == stage.now.replace(microsecond=stage.now.microsecond // 1000 * 1000)
    assert (page["version"], page["narrowed"]) == (found["version"], False)
    down = (await client.get("/v1/present/cameras", params={"state": ["down", "unknown"]})).json()["items"]
    assert [(one["camera_code"], one["confirmed_state"], one["cause"]) for one in down] == [
        ("CAM-03", "down", "timeout")
    ]
    later = {"since": (stage.now + timedelta(seconds=30)).isoformat(), "total": "true"}
    assert (await client.get("/v1/present/cameras", params=later)).json()["total"] == 0
    first = (await client.get("/v1/present/cameras", params={"limit": 2, "sort": "camera_code"})).json()
    rest = {"limit": 9, "sort": "camera_code", "cursor": first["next"]}
    codes = [
        one["camera_code"]
        for one in (*first["items"], *(await client.get("/v1/present/cameras", params=rest)).json()["items"])
    ]
    assert codes == [f"CAM-0{number}" for number in range(1, 6)]


async def test_each_reader_sees_its_own(start: Start, bus: object, stage: Stage) -> None:
    async with start(role=Role.READER) as reader:
        found = await present(reader, total=4, up=2)
        assert found["narrowed"] is True
        assert [one["code"] for one in found["by_facility"]] == ["KCL-01"]
        rows = (await reader.get("/v1/present/cameras")).json()["items"]
        assert "CAM-05" not in {one["camera_code"] for one in rows}
        refused = await reader.get("/v1/present", params={"facility": "QS-01"})
        assert refused.status_code == 422
    async with start(role=Role.FACILITY, scope=(f"facility:{stage.secret}",)) as own:
        assert [one["code"] for one in (await present(own, total=1, up=1))["by_facility"]] == ["QS-01"]


def events_in(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Name and data of each event."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def streamed(client: Client, **given: Any) -> asyncio.Task[str]:
    async def read() -> str:
        answer = await client.get("/v1/present/events", **given)
        assert answer.headers["content-type"].startswith("text/event-stream")
        return answer.text

    return asyncio.ensure_future(read())


async def test_a_stream_says_what_changed_of_what_its_reader_sees(
    start: Start, bus: object, stage: Stage, ingest: Ingest
) -> None:
    province = stage.province
    async with start(role=Role.READER) as reader:
        app = reader._transport.app
        before = await present(reader, total=4, up=2)
        live = await streamed(reader)
        await eventually(lambda: app.state.listeners.count == 1, within_s=30)
        now = datetime.now(UTC)
        failed = [province.probe(one, now, "down", cause="refused") for one in (stage.well, stage.hidden)]
        await province.feed(ingest, *province.watched(now), *failed)
        after = await eventually_counted(reader, down=2)
        app.state.end_streams()
        events = events_in(await live)
        assert [name for name, _ in events if name != "alive"] == ["changes", "end"]
        (changes,) = [data for name, data in events if name == "changes"]
        assert [(one["camera_code"], one["state"]) for one in changes["cameras"]] == [("CAM-01", "down")]
        assert changes["counts"] == after["cameras"]
        assert events[-1][1] == {"reason": "shutdown"}
        # Whoever comes again has missed nothing, and whoever knows an unknown version loads anew.
        again = await (await streamed(reader, headers={"Last-Event-ID": before["version"]}))
        assert "changes" in [name for name, _ in events_in(again)]
        other = await (await streamed(reader, params={"version": "another-7"}))
        assert events_in(other)[0][0] == "reset"


async def eventually_counted(client: Client, *, down: int) -> dict[str, Any]:
    async def counted() -> dict[str, Any] | None:
        body: dict[str, Any] = (await client.get("/v1/present")).json()
        return body if body["cameras"]["down"] == down else None

    found = await eventually(counted, within_s=60)
    assert found is not None
    return found


async def test_a_stream_ends_with_its_token(
    start: Start, bus: object, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(role=Role.READER) as reader:
        await present(reader, total=4, up=2)
        app = reader._transport.app
        known = app.state.context.clock
        monkeypatch.setattr(app.state.context, "clock", lambda: known() + timedelta(days=60))
        text = await asyncio.wait_for(await streamed(reader), 60)
    assert events_in(text)[-1] == ("end", {"reason": "token_expired"})


async def test_more_listeners_than_there_may_be_are_refused(start: Start, bus: object, stage: Stage) -> None:
    async with start(role=Role.READER) as reader:
        await present(reader, total=4, up=2)
        reader._transport.app.state.listeners.count = 300
        answer = await reader.get("/v1/present/events")
    assert (answer.status_code, answer.json()["code"]) == (503, "too_many_listeners")
    assert answer.headers["retry-after"] == "10"
