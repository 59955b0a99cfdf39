"""The national list and the figures for Prometheus: the same accounts as every report, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reporting.api.sending.national import to_the_minute
from reporting.domain.segments import Period
from reporting.feeds.compliance_metrics import ComplianceMetrics
from reporting.reports.accounts import Question

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from vonggac.database import Database

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(days=1)).isoformat()}


async def national(client: Client, **given: str) -> dict[str, Any]:
    answer = await client.get("/v1/national", params=PERIOD | given)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_list_has_the_decrees_case_to_the_millisecond(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    for start, end, verdict in ((0, 2, "up"), (2, 2.75, "down"), (2.75, 24, "up")):
        begin, until = DAY + timedelta(hours=start), DAY + timedelta(hours=end)
        cause = "timeout" if verdict == "down" else None
        await province.feed(ingest, *province.probes(camera, begin, until, verdict, cause=cause, every_s=300))
    await province.feed(ingest, *province.watched(DAY + timedelta(days=1, minutes=1)))
    found = await national(client)
    (facility,) = found["items"]
    assert (facility["code"], facility["unit"]["code"], facility["agency"]["code"]) == ("KCL-01", "465", "SYT")
    (shown,) = facility["cameras"]
    assert shown["milliseconds"] == {
        "up": 83_700_000, "down": 2_700_000, "maintenance": 0, "unknown": 0, "out_of_scope": 0,
    }  # fmt: skip
    assert shown["availability"]["measured_percent"] == 96.875
    assert {one["role"] for one in shown["destinations"]} == {"national", "provincial"}
    for one in shown["destinations"]:
        assert sum(one["milliseconds"].values()) == 86_400_000
    assert (found["current"], shown["state"], shown["national"]) == (False, None, None)


async def test_a_period_that_is_only_given_its_beginning_begins_there_on_every_page(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """It ends at the last full minute; what it begins with is the caller's, to the millisecond."""
    await province.feed(ingest, *province.base(), province.stated("facility", province.facility_state(id=uuid4())))
    begins = datetime(2026, 11, 20, 0, 0, 0, 1000, tzinfo=UTC)
    page: dict[str, str] = {"from": begins.isoformat(), "limit": "1"}
    for _ in range(2):
        found = (await client.get("/v1/national", params=page)).json()
        start, end = (datetime.fromisoformat(found[name]) for name in ("start", "end"))
        assert start == begins
        assert (end.second, end.microsecond) == (0, 0)
        page["cursor"] = found["next"]


def test_at_the_last_full_minute_nobody_is_presumed_alive_who_is_not_now() -> None:
    minute = 29_700_000 * 60_000
    for later, left in ((0, 15_000), (9_000, 6_000), (59_000, 0)):
        asks = Question(Period(minute - 3_600_000, minute + later), minute + later, 15_000)
        found = to_the_minute(asks, begins_at_will=True)
        assert (found.period.end, found.now, found.presumed_alive_ms) == (minute, minute, left)


async def test_a_facility_without_cameras_is_listed_and_pages_have_every_facility_once(
    client: Client, ingest: Ingest, province: Province
) -> None:
    await province.feed(ingest, *province.base())
    for number in range(2, 6):
        state = province.facility_state(id=uuid4(), code=f"KCL-0{number}", name=f"Cơ sở {number}")
        await province.feed(ingest, province.stated("facility", state))
    first = await national(client, limit="2", total="true")
    assert (len(first["items"]), first["total"]) == (2, 5)
    codes, following = [one["code"] for one in first["items"]], first["next"]
    while following:
        page = await national(client, limit="2", cursor=following)
        codes += [one["code"] for one in page["items"]]
        following = page["next"]
    assert codes == [f"KCL-0{number}" for number in range(1, 6)]
    assert all(one["cameras"] == [] for one in first["items"])


async def test_within_a_minute_the_list_is_not_sent_again(client: Client, ingest: Ingest, province: Province) -> None:
    await province.feed(ingest, *province.base())
    answer = await client.get("/v1/national", params=PERIOD)
    again = await client.get("/v1/national", params=PERIOD, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    current = (await client.get("/v1/national")).json()
    assert current["current"]
    assert current["end"][17:19] == "00"
    start, end = (datetime.fromisoformat(current[name]) for name in ("start", "end"))
    assert end - start == timedelta(hours=24)


async def test_the_list_says_which_centre_has_a_camera_now(client: Client, ingest: Ingest, province: Province) -> None:
    now = datetime.now(UTC)
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    began = now - timedelta(minutes=10)
    await province.feed(ingest, *province.probes(camera, began, now, every_s=300))
    states = zip(camera.deliveries, ("acknowledged", "backing_off"), ("", "refused"), strict=True)
    for number, (planned, state, cause) in enumerate(states):
        await province.feed(ingest, province.change(planned, camera, number + 1, began, state, cause=cause or None))
    await province.feed(ingest, *province.watched(now))
    (facility,) = (await client.get("/v1/national")).json()["items"]
    (shown,) = facility["cameras"]
    assert (shown["state"], shown["national"], shown["provincial"], shown["compliant"]) == ("up", True, False, False)
    assert [(one["role"], one["connected"], one["cause"]) for one in shown["destinations"]] == [
        ("national", True, None),
        ("provincial", False, "refused"),
    ]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"from": "2026-11-22", "to": "2026-11-21"}, "from"),
        ({"to": "2199-01-01"}, "future"),
        ({"unit": "no such"}, "unit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"limit": "100000"}, "limit"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_an_impossible_question_is_refused_by_its_parameter(
    client: Client, given: dict[str, str], named: str
) -> None:
    answer = await client.get("/v1/national", params=given)
    assert answer.status_code == 422
    assert named in answer.text


def samples(page: str) -> dict[tuple[str, ...], float]:
    """By name and labels, in the alphabetical order of these."""
    return {
        (sample.name.removeprefix("vonggac_compliance_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def test_prometheus_reads_how_each_destination_has_the_cameras(
    client: Client, ingest: Ingest, province: Province
) -> None:
    now = datetime.now(UTC)
    cameras = [province.camera(f"CAM-0{number}") for number in (1, 2)]
    await province.feed(ingest, *province.base(), *(province.stated("camera", one) for one in cameras))
    for camera in cameras:
        await province.feed(ingest, *province.probes(camera, now - timedelta(minutes=10), now, every_s=300))
    good, bad = cameras
    at = now - timedelta(minutes=10)
    await province.feed(
        ingest,
        *(province.change(one, good, number + 1, at, "acknowledged") for number, one in enumerate(good.deliveries)),
        province.change(bad.deliveries[0], bad, 1, at, "backing_off", cause="refused"),
        *province.watched(now),
    )
    answer = await client.get("/v1/metrics/compliance")
    assert answer.headers["content-type"].startswith("text/plain")
    found = samples(answer.text)
    assert found["cameras", "up"] == 2
    assert found["verdicts", "compliant"] == 1
    assert found["destination_cameras", "connected", "D1", "national"] == 1
    assert found["destination_cameras", "not_connected", "D1", "national"] == 1
    assert found["destination_cameras", "unknown", "D2", "provincial"] == 1
    parts = [value for key, value in found.items() if key[:2] == ("destination_seconds", "D1")]
    assert sum(parts) == 2 * 3600


async def test_a_delivery_that_is_no_more_is_out_of_scope_for_prometheus(
    client: Client, ingest: Ingest, province: Province
) -> None:
    now = datetime.now(UTC)
    camera, at = province.camera(), now - timedelta(minutes=20)
    left = {"revision": 2, "changed_at": now - timedelta(minutes=5), "deliveries": camera.deliveries[1:]}
    both = (province.stated("camera", one) for one in (camera, camera.model_copy(update=left)))
    said = [province.change(one, camera, 1, at, "acknowledged") for one in camera.deliveries]
    said.append(province.change(camera.deliveries[0], camera, 2, now - timedelta(minutes=5), "released"))
    await province.feed(ingest, *province.base(), *both, *said, *province.probes(camera, at, now, every_s=300))
    await province.feed(ingest, *province.watched(now))
    found = samples((await client.get("/v1/metrics/compliance")).text)
    counts = {key[1:3]: value for key, value in found.items() if key[0] == "destination_cameras" and value}
    assert counts == {("out_of_scope", "D1"): 1, ("connected", "D2"): 1}


async def test_scraping_often_computes_once(database: Database, settings: Settings) -> None:
    metrics = ComplianceMetrics(database, settings)
    now = datetime.now(UTC)
    first = await metrics.page(now)
    assert await metrics.page(now + timedelta(seconds=29)) is first
    assert await metrics.page(now + timedelta(seconds=31)) != first


async def test_without_a_token_nothing_is_read(client: Client) -> None:
    for path in ("/v1/national", "/v1/metrics/compliance"):
        assert (await client.get(path, headers={"Authorization": ""})).status_code == 401
