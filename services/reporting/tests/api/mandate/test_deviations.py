"""Plan against fact, and inspections due, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.reporting.tests.stage.letter import Letter, may

from vonggac.events.inventory import ExpectedDevice, FacilityStatus, FoundCamera, PlanExceptionV1, SurveyedStream
from vonggac.events.prober import Media

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.events import CloudEvent, Payload

THEN = "2021-05-10T08:00:00+07:00"


async def read(client: Client, path: str = "/v1/deviations", **asked: Any) -> dict[str, Any]:
    answer = await client.get(path, params={"as_of": THEN, **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def sending(event: CloudEvent[Payload], **media: Any) -> CloudEvent[Payload]:
    return event.model_copy(update={"data": event.data.model_copy(update={"media": Media(**media)})})


async def test_what_a_camera_sends_is_held_against_what_was_agreed(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    expected = ExpectedDevice(codec="h265", width=1920, height=1080, fps=25)
    good, bad = letter.camera(facility, "A-C01", expected=expected), letter.camera(facility, "A-C02", expected=expected)
    plan = letter.plan(facility, may(8), cameras=["A-C01", "A-C02"])
    facts = [one for camera in (good, bad) for one in letter.connected(camera, may(10, 5), may(10, 12))]
    measured: dict[str, Any] = {
        "codec": "h265",
        "width": 1920,
        "height": 1080,
        "fps": 25.0,
        "bitrate_kbps": 2000.0,
        "transport": "tcp",
    }
    shapes = {good.id: measured, bad.id: measured | {"codec": "h264", "width": 1280, "height": 720}}
    facts = [
        sending(one, **shapes[one.data.camera_id]) if one.type.endswith("camera_observed.v1") else one  # type: ignore[attr-defined] # of a probe
        for one in facts
    ]
    things: list[tuple[str, Any]] = [
        ("facility", facility),
        ("camera", good),
        ("camera", bad),
        ("connection_plan", plan),
    ]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things), *facts)
    page = await read(client)
    found = [(one["camera_code"], one["field"], one["agreed"], one["observed"]) for one in page["items"]]
    assert found == [("A-C02", "codec", "h265", "h264"), ("A-C02", "size", "1920x1080", "1280x720")]
    assert {(one["plan_code"], one["plan_version"]) for one in page["items"]} == {("PA-A", 1)}
    assert page["cameras"] == 2
    both = await read(client, verdict=["as_agreed", "deviates", "not_observed", "not_agreed"])
    assert sum(both["by_verdict"].values()) == len(both["items"]) == 14
    assert both["by_verdict"] == {"as_agreed": 12, "deviates": 2, "not_observed": 0, "not_agreed": 0}
    before = await read(client, as_of="2021-05-10T04:00:00+07:00")
    assert (before["items"], before["by_verdict"]["not_observed"]) == ([], 14)
    (seen,) = (await read(client, f"/v1/cameras/{bad.id}/formats"))["items"]
    assert (seen["codec"], seen["width"], seen["began_at"]) == ("h264", 1280, "2021-05-10T05:00:00+07:00")
    assert (await client.get(f"/v1/cameras/{uuid4()}/formats")).status_code == 404


async def test_what_the_form_of_the_survey_says_is_held_against_what_a_camera_sends(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """Codec, size, rate and make, though the register expects nothing of the cameras."""
    letter = Letter(province)
    facility = letter.facility("A")
    good = letter.camera(facility, "A-C01", vendor="hikvision")
    bad = letter.camera(facility, "A-C02", vendor="dahua", expected=ExpectedDevice(codec="h264", fps=10))
    main = SurveyedStream(codec="h265", width=1920, height=1080, fps=25)
    form = tuple(FoundCamera(code=code, make="Hikvision VN", main=main) for code in ("A-C01", "A-C02"))
    facts = [one for camera in (good, bad) for one in letter.connected(camera, may(10, 5), may(10, 7))]
    sent: dict[str, Any] = {"codec": "h265", "width": 1920, "height": 1080, "fps": 25.0, "transport": "tcp"}
    shapes = {good.id: sent, bad.id: sent | {"codec": "h264", "fps": 10.0}}
    facts = [
        sending(one, **shapes[one.data.camera_id]) if one.type.endswith("camera_observed.v1") else one  # type: ignore[attr-defined] # of a probe
        for one in facts
    ]
    things: list[tuple[str, Any]] = [("facility", facility), ("camera", good), ("camera", bad)]
    things += [("survey", letter.survey(facility, may(8), cameras=form))]
    things += [("connection_plan", letter.plan(facility, may(8), cameras=["A-C01", "A-C02"]))]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things), *facts)
    found = [
        (one["camera_code"], one["field"], one["agreed"], one["observed"]) for one in (await read(client))["items"]
    ]
    assert found == [
        ("A-C02", "codec", "h265", "h264"),
        ("A-C02", "fps", "25", "10"),
        ("A-C02", "make", "Hikvision VN", "dahua"),
    ]
    before = await read(client, as_of="2021-05-07T08:00:00+07:00", verdict=["deviates", "as_agreed"])
    assert {one["field"] for one in before["items"]}.isdisjoint({"codec", "make"}), "nothing was surveyed yet"


async def test_a_camera_forwarded_by_an_exception_deviates_from_having_a_plan(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    facility = letter.facility("A")
    camera = letter.camera(facility, "A-C01")
    exception = PlanExceptionV1(
        id=uuid4(),
        facility_id=facility.id,
        why="chờ thống nhất",
        approved_by="an",
        decided_on=date(2021, 5, 9),
        **letter.known(may(9)),
    )
    things = [("facility", facility), ("camera", camera), ("plan_exception", exception)]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    (item,) = (await read(client))["items"]
    assert (item["field"], item["agreed"], item["observed"]) == ("plan", "agreed plan", "exception")
    assert (await read(client, as_of="2021-05-08"))["items"] == []


async def test_an_inspection_is_due_every_fifteen_days_of_an_active_facility(
    client: Client, ingest: Ingest, province: Province
) -> None:
    letter = Letter(province)
    never, late, closed = letter.facility("A"), letter.facility("B"), letter.facility("C")
    things: list[tuple[str, Any]] = [("facility", one) for one in (never, late, closed)]
    things += [("facility", letter.later(closed, may(9), status=FacilityStatus.CLOSED))]
    things += [("inspection", letter.inspection(late, date(2021, 5, 4)))]
    await province.feed(ingest, *letter.base(), *(letter.stated(noun, thing) for noun, thing in things))
    page = await read(client, "/v1/inspections-due", as_of="2021-05-18T23:59:59+07:00")
    rows = [
        (one["facility"]["code"], one["last_inspected_on"], one["due_on"], one["overdue_days"]) for one in page["items"]
    ]
    assert rows == [("A", None, "2021-05-16", 2), ("B", "2021-05-04", "2021-05-19", 0)]
    assert page["overdue"] == 1
    assert [one["open_findings"] for one in page["items"]] == [0, 1]
    (only,) = (await read(client, "/v1/inspections-due", as_of="2021-05-20", overdue="true", sort="-due_on"))["items"][
        :1
    ]
    assert (only["facility"]["code"], only["overdue_days"]) == ("B", 1)
    duty = letter.obligation("NV-4403-B", "inspection", every_days=7, due_before=None)
    await province.feed(ingest, letter.stated("obligation", duty))
    page = await read(client, "/v1/inspections-due")
    assert [(one["every_days"], one["due_on"]) for one in page["items"]] == [(7, "2021-05-08"), (7, "2021-05-11")]
    items = (await read(client, code="NV-4403-B", path="/v1/obligations"))["items"]
    assert {one["facility"]["code"]: one["state"] for one in items} == {"A": "overdue", "B": "due_soon"}
