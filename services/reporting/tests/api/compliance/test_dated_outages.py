"""Outages are dated to what happened: to the last and first media, and to the last bytes that a centre confirmed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.events.inventory import CameraV1

DAY = datetime(2026, 11, 24, tzinfo=UTC)
PERIOD = {"from": DAY.isoformat(), "to": (DAY + timedelta(seconds=600)).isoformat()}


def at(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


async def forwarded(ingest: Ingest, province: Province) -> CameraV1:
    """A camera that is held and flows, probed every 30 s by its forwarder's keyframes, acknowledged at both centres."""
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera), *province.watched(at(-60)))
    await province.feed(
        ingest,
        *province.watched(at(700)),
        province.media(camera, 1, at(-30), media_since=at(-30)),
        *(province.change(planned, camera, 1, at(-29), "acknowledged") for planned in camera.deliveries),
    )
    return camera


async def intervals(client: Client, kind: str, thing: object) -> list[tuple[str, str | None, float, float]]:
    """State, cause, begin and end of each, in seconds of the day."""
    answer = await client.get(f"/v1/{kind}/{thing}/intervals", params=PERIOD)
    assert answer.status_code == 200, answer.text
    return [
        (
            one["state"],
            one["cause"],
            (datetime.fromisoformat(one["start"]) - DAY).total_seconds(),
            (datetime.fromisoformat(one["end"]) - DAY).total_seconds(),
        )
        for one in answer.json()["intervals"]
    ]


async def test_an_outage_of_a_forwarded_camera_goes_from_its_last_to_its_first_media(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    facts = [
        *province.probes(camera, at(-25), at(95)),
        # The camera is off from 100 to 160; a probe notices at 124, and at 184 that it is back.
        province.media(camera, 2, at(103), "stopped", cause="ended", media_since=at(-30), media_stopped_at=at(100)),
        province.probe(camera, at(125), "down", cause="timeout", duration_ms=1000),
        province.probe(camera, at(155), "down", cause="timeout", duration_ms=1000),
        province.media(camera, 3, at(160.2), media_since=at(160), media_stopped_at=at(100)),
        *province.probes(camera, at(185), at(700)),
    ]
    random.Random(3).shuffle(facts)
    await province.feed(ingest, *facts)
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        ("down", "ended", 100, 124),
        ("down", "timeout", 124, 160),
        ("up", None, 160, 600),
    ]
    found = (await client.get("/v1/outages", params=PERIOD)).json()
    (outage,) = found["items"]
    assert (outage["seconds"], outage["causes"], outage["confirmed"]) == (60.0, ["ended", "timeout"], True)


async def test_an_outage_between_two_probes_is_seen(client: Client, ingest: Ingest, province: Province) -> None:
    camera = await forwarded(ingest, province)
    await province.feed(ingest, *province.probes(camera, at(-25), at(700)))
    await province.feed(
        ingest,
        province.media(camera, 2, at(203), "stopped", cause="stalled", media_since=at(-30), media_stopped_at=at(200)),
        province.media(camera, 3, at(206), media_since=at(206), media_stopped_at=at(200)),
    )
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 200),
        ("down", "stalled", 200, 206),
        ("up", None, 206, 600),
    ]


async def test_a_frozen_picture_is_down_from_its_first_repetition_to_its_first_change(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    await province.feed(ingest, *province.probes(camera, at(-25), at(110)), *province.probes(camera, at(185), at(700)))
    await province.feed(
        ingest,
        province.media(camera, 2, at(104), media_since=at(-30), still_since=at(100)),
        province.probe(camera, at(125), "down", cause="frozen"),
        province.probe(camera, at(155), "down", cause="frozen"),
        province.media(camera, 3, at(161), media_since=at(-30), still_since=at(100), still_until=at(160.5)),
    )
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        ("down", "frozen", 100, 160.5),
        ("up", None, 160.5, 600),
    ]


async def test_a_recording_that_repeats_is_down_from_its_first_picture_that_came_again(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    loop: dict[str, Any] = {"media_since": at(-30), "still_since": at(100), "still_cause": "repeats"}
    facts = [
        *province.probes(camera, at(-25), at(110)),
        *province.probes(camera, at(185), at(700)),
        province.media(camera, 2, at(117), **loop),
        province.probe(camera, at(125), "down", cause="repeats", still_since=at(100)),
        province.probe(camera, at(155), "down", cause="repeats", still_since=at(100)),
        province.media(camera, 3, at(162), **loop, still_until=at(160)),
    ]
    random.Random(6).shuffle(facts)
    for fact in facts:
        await province.feed(ingest, fact)
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        ("down", "repeats", 100, 160),
        ("up", None, 160, 600),
    ]


async def test_two_freezes_within_a_probe_interval_are_two(client: Client, ingest: Ingest, province: Province) -> None:
    camera = await forwarded(ingest, province)
    facts = [
        *province.probes(camera, at(-25), at(110)),
        *province.probes(camera, at(185), at(700)),
        province.media(camera, 2, at(104), media_since=at(-30), still_since=at(100)),
        province.probe(camera, at(125), "down", cause="frozen", still_since=at(100)),
        province.media(camera, 3, at(131), media_since=at(-30), still_since=at(100), still_until=at(130)),
        province.media(camera, 4, at(144), media_since=at(-30), still_since=at(140)),
        province.probe(camera, at(155), "down", cause="frozen", still_since=at(140)),
        province.media(camera, 5, at(161), media_since=at(-30), still_since=at(140), still_until=at(160)),
    ]
    random.Random(5).shuffle(facts)
    for fact in facts:
        await province.feed(ingest, fact)
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        ("down", "frozen", 100, 130),
        ("up", None, 130, 140),
        ("down", "frozen", 140, 160),
        ("up", None, 160, 600),
    ]


async def test_while_media_flows_a_failed_probe_that_saw_none_makes_nobody_down(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    await province.feed(ingest, *province.probes(camera, at(-25), at(600)))
    await province.feed(
        ingest,
        province.probe(camera, at(210), "down", cause="no_media"),
        province.probe(camera, at(300), "down", cause="black"),
    )
    line = await intervals(client, "cameras", camera.id)
    assert [one[:2] for one in line] == [("up", None), ("down", "black"), ("up", None)]


async def test_a_camera_that_only_its_forwarder_cannot_reach_is_up_once_a_prober_saw_it_itself(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    await province.feed(ingest, province.media(camera, 2, at(50), "stopped", cause="timeout", media_stopped_at=at(47)))
    await province.feed(ingest, *province.probes(camera, at(60), at(700)))
    line = await intervals(client, "cameras", camera.id)
    assert line == [("unknown", None, 0, 47), ("down", "timeout", 47, 60), ("up", None, 60, 600)]


async def test_a_stop_of_our_own_or_a_fault_of_ours_accuses_nobody(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    await province.feed(ingest, *province.probes(camera, at(-25), at(700)))
    await province.feed(
        ingest,
        province.media(camera, 2, at(203), "stopped", media_stopped_at=at(200)),
        province.media(camera, 3, at(300), "stopped", cause="secret_unreadable", media_stopped_at=at(200)),
        province.media(camera, 4, at(400), "released", media_stopped_at=at(200)),
    )
    assert await intervals(client, "cameras", camera.id) == [("up", None, 0, 600)]


async def test_a_camera_that_is_handed_over_while_it_is_away_stays_down(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera, other = await forwarded(ingest, province), "forwarder-000000000002"
    await province.feed(ingest, *province.probes(camera, at(-25), at(100)), province.alive(at(700), worker=other))
    await province.feed(
        ingest,
        province.media(camera, 2, at(103), "stopped", cause="timeout", media_since=at(-30), media_stopped_at=at(100)),
        province.media(camera, 3, at(104), "released", media_since=at(-30), media_stopped_at=at(100)),
        province.probe(camera, at(110), "down", cause="timeout"),
        # The next holder has not tried yet; its first attempt ends ten seconds later.
        province.media(camera, 1, at(104), "stopped", worker=other),
        province.media(camera, 2, at(114), "stopped", cause="timeout", worker=other, held_since=at(104)),
        province.media(camera, 3, at(120), media_since=at(120), worker=other, held_since=at(104)),
        *province.probes(camera, at(125), at(700)),
    )
    line = await intervals(client, "cameras", camera.id)
    assert line == [("up", None, 0, 100), ("down", "timeout", 100, 120), ("up", None, 120, 600)]


async def test_asleep_a_forwarder_dates_nothing_within_its_hole(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera), province.prober_alive(at(700)))
    await province.feed(
        ingest,
        *province.probes(camera, at(-25), at(700)),
        province.alive(at(100)),
        province.media(camera, 1, at(-30), media_since=at(-30)),
        # It slept from 100 to 300, and saw the stop of 200 only then: of 200 to 300 it knows nothing.
        province.alive(at(600), awake_since=at(300)),
        province.media(camera, 2, at(301), "stopped", cause="stalled", media_since=at(-30), media_stopped_at=at(200)),
        province.media(camera, 3, at(310), media_since=at(310), media_stopped_at=at(200)),
    )
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 300),
        ("down", "stalled", 300, 310),
        ("up", None, 310, 600),
    ]


async def test_a_centres_outage_begins_with_the_last_bytes_that_it_confirmed(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    planned = camera.deliveries[0]
    facts = [
        province.change(planned, camera, 2, at(107), "stalled", cause="stalled", last_acknowledged_at=at(101)),
        province.change(planned, camera, 3, at(117), "backing_off", cause="stalled", last_acknowledged_at=at(101)),
        province.change(planned, camera, 4, at(160), "acknowledged", last_acknowledged_at=at(160)),
    ]
    random.Random(1).shuffle(facts)
    for fact in facts:
        await province.feed(ingest, fact)
    assert await intervals(client, "deliveries", planned.id) == [
        ("acknowledged", None, 0, 101),
        ("stalled", "stalled", 101, 117),
        ("backing_off", "stalled", 117, 160),
        ("acknowledged", None, 160, 600),
    ]


SUMMED: list[tuple[str, dict[str, Any], list[tuple[str, float, float]]]] = [
    # It left the state at 100, and nobody says what was until it came back at 100.7.
    (
        "acknowledged",
        {"at": 100.7, "first": 100, "last": 100.7},
        [("acknowledged", 0, 100), ("unknown", 100, 100.7), ("acknowledged", 100.7, 600)],
    ),
    ("backing_off", {"at": 100.7, "first": 100, "last": 99.5}, [("acknowledged", 0, 99.5), ("backing_off", 99.5, 600)]),
    (
        "backing_off",
        {"at": 100.7, "first": 100, "last": 100.4},
        [("acknowledged", 0, 100), ("unknown", 100, 100.4), ("backing_off", 100.4, 600)],
    ),
]


@pytest.mark.parametrize(("state", "said", "expected"), SUMMED)
async def test_flapping_changes_that_are_summed_in_one_report_are_dated_by_the_first_of_them(
    client: Client, ingest: Ingest, province: Province, state: str, said: dict[str, float], expected: Any
) -> None:
    camera = await forwarded(ingest, province)
    planned = camera.deliveries[0]
    change = province.change(
        planned,
        camera,
        2,
        at(said["at"]),
        state,
        changes=3,
        first_changed_at=at(said["first"]),
        last_acknowledged_at=at(said["last"]),
    )
    await province.feed(ingest, change)
    line = await intervals(client, "deliveries", planned.id)
    assert [(name, start, end) for name, _, start, end in line] == expected


async def test_a_holder_that_dates_its_holding_into_the_future_is_followed_by_the_next_one(
    client: Client, ingest: Ingest, province: Province
) -> None:
    """Nobody holds a camera from later on than it says so: else no other worker would count any more."""
    camera = await forwarded(ingest, province)
    planned, never, other = camera.deliveries[0], at(1e8), "forwarder-000000000002"
    facts = [
        province.change(planned, camera, 1, at(100), "refused", cause="auth_failed", worker=other, held_since=never),
        province.media(camera, 1, at(100), "stopped", cause="timeout", worker=other, held_since=never),
        province.change(planned, camera, 2, at(200), "acknowledged", held_since=at(200)),
        province.media(camera, 2, at(200), media_since=at(200), held_since=at(200)),
        *province.probes(camera, at(-25), at(595)),
        province.alive(at(600), worker=other),
    ]
    await province.feed(ingest, *facts)
    assert [(one[0], *one[2:]) for one in await intervals(client, "deliveries", planned.id)] == [
        ("acknowledged", 0.0, 100.0),
        ("refused", 100.0, 200.0),
        ("acknowledged", 200.0, 600.0),
    ]
    assert await intervals(client, "cameras", camera.id) == [("up", None, 0.0, 600.0)]
