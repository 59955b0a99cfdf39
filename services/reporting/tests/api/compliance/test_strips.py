"""A facility's lines of time, over HTTP: without gaps, and their lengths are the figures of the report."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from services.reporting.tests.stage.freezing import DAY, NEXT

from vonggac.auth import Role

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

PERIOD = {"from": DAY.isoformat(), "to": NEXT.isoformat()}


def lengths(segments: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds by state; the segments fill the period."""
    first, last = segments[0]["start"], segments[-1]["end"]
    assert (datetime.fromisoformat(first), datetime.fromisoformat(last)) == (DAY, NEXT)
    found: dict[str, float] = {}
    for one, following in pairwise([*segments, None]):
        assert one is not None
        assert following is None or one["end"] == following["start"]
        assert following is None or (one["state"], one["cause"]) != (following["state"], following["cause"])
        start, end = datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])
        found[one["state"]] = found.get(one["state"], 0) + (end - start).total_seconds()
    return found


async def strips(client: Client, facility: str = "KCL-01", **query: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/facilities/{facility}/strips", params=PERIOD | query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_lengths_of_strips_are_the_figures_of_the_report(client: Client, fed: Province) -> None:
    found = await strips(client)
    assert (found["facility_code"], found["facility_name"]) == ("KCL-01", "Khu cách ly Lao Bảo")
    (camera,) = found["cameras"]
    states = lengths(camera["segments"])
    assert states["down"] == 45 * 60
    assert [(one["state"], one["cause"]) for one in camera["segments"]][:3] == [
        ("up", None),
        ("down", "timeout"),
        ("up", None),
    ]
    (line,) = (await client.get("/v1/compliance", params=PERIOD)).json()["cameras"]
    for state in ("up", "down", "maintenance", "unknown", "out_of_scope"):
        assert states.get(state, 0) == line["seconds"][state], state
    assert [(one["destination_code"], one["role"]) for one in camera["deliveries"]] == [
        ("D1", "national"),
        ("D2", "provincial"),
    ]
    for strip, figures in zip(camera["deliveries"], line["deliveries"], strict=True):
        sums = lengths(strip["segments"])
        assert strip["delivery_id"] == figures["id"]
        for state in ("connected", "not_connected", "maintenance", "unknown", "out_of_scope"):
            assert sums.get(state, 0) == figures["seconds"][state], state


async def test_maintenance_and_time_elsewhere_are_in_the_strip(client: Client, fed: Province, ingest: Ingest) -> None:
    camera, other, moved_at = fed.facts, uuid4(), DAY + timedelta(hours=12)  # type: ignore[attr-defined]
    window = fed.window(DAY + timedelta(hours=5), DAY + timedelta(hours=6), camera_id=camera.id)
    place = fed.facility_state(id=other, code="KCL-02", name="Khu khác")
    moved = camera.model_copy(update={"revision": 2, "changed_at": moved_at, "facility_id": other})
    states = [("maintenance_window", window), ("facility", place), ("camera", moved)]
    await fed.feed(ingest, *(fed.stated(noun, thing) for noun, thing in states))
    (here,), (there,) = (await strips(client))["cameras"], (await strips(client, str(other)))["cameras"]
    assert lengths(here["segments"])["maintenance"] == 3600
    assert here["segments"][-1] | {"start": "", "end": ""} == {
        "start": "", "end": "", "state": "out_of_scope", "cause": "elsewhere",
    }  # fmt: skip
    assert lengths(here["segments"])["out_of_scope"] == lengths(here["deliveries"][0]["segments"])["out_of_scope"]
    assert lengths(here["deliveries"][0]["segments"])["maintenance"] == 3600
    assert lengths(there["segments"])["out_of_scope"] == 12 * 3600


async def test_what_is_not_seen_or_too_long_is_refused(
    start: Start, bus: object, fed: Province, ingest: Ingest
) -> None:
    secret = uuid4()
    hidden = fed.facility_state(id=secret, code="QS-01", restricted=True)
    await fed.feed(ingest, fed.stated("facility", hidden))
    async with start(role=Role.READER) as reader:
        for given in ("QS-01", str(secret), "NONE"):
            answer = await reader.get(f"/v1/facilities/{given}/strips")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), given
        assert (await strips(reader))["cameras"]
        start_ = (NEXT - timedelta(days=32)).isoformat()
        refused = await reader.get("/v1/facilities/KCL-01/strips", params=PERIOD | {"from": start_})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "from"
        assert "31 ngày" in refused.text
