"""What a camera shows is dated to the changes of its picture, by its forwarder and by whoever judged it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from services.reporting.tests.api.compliance.test_dated_outages import at, forwarded, intervals

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest


async def test_empty_picture_is_down_from_the_change_that_showed_it_to_the_next_one(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    facts = [
        *province.probes(camera, at(-25), at(110)),
        province.media(camera, 2, at(104), media_since=at(-30), picture_since=at(100), picture_sign="weight"),
        # A light probe before the judge came, then the judge.
        province.probe(camera, at(104.5), "up"),
        province.probe(camera, at(106), "down", cause="black"),
        province.media(
            camera, 3, at(106.1), media_since=at(-30), picture_since=at(100), picture_judged=True, picture_cause="black"
        ),
        province.media(camera, 4, at(164), media_since=at(-30), picture_since=at(161), picture_sign="weight"),
        province.probe(camera, at(165), "up"),
        province.media(camera, 5, at(165.1), media_since=at(-30), picture_since=at(161), picture_judged=True),
        *province.probes(camera, at(185), at(700)),
    ]
    random.Random(7).shuffle(facts)
    for fact in facts:
        await province.feed(ingest, fact)
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        ("down", "black", 100, 161),
        ("up", None, 161, 600),
    ]


async def test_empty_picture_that_was_captured_before_it_ended_says_nothing_of_afterwards(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    await province.feed(
        ingest,
        *province.probes(camera, at(-25), at(90)),
        province.media(camera, 2, at(104), media_since=at(-30), picture_since=at(100), picture_sign="weight"),
        province.probe(camera, at(104.5), "down", cause="black", captured_at=at(104)),
        province.media(
            camera, 3, at(104.6), media_since=at(-30), picture_since=at(100), picture_judged=True, picture_cause="black"
        ),
        # Probed again just when the picture comes back: the newest keyframe is still the one before.
        province.probe(camera, at(161.2), "down", cause="black", captured_at=at(160.4), duration_ms=80),
        province.media(camera, 4, at(161.3), media_since=at(-30), picture_since=at(161), picture_sign="weight"),
        province.probe(camera, at(164), "up"),
        province.media(camera, 5, at(164.1), media_since=at(-30), picture_since=at(161), picture_judged=True),
        *province.probes(camera, at(185), at(700)),
    )
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        ("down", "black", 100, 161),
        ("up", None, 161, 600),
    ]


async def test_one_old_keyframe_that_is_judged_by_each_probe_leaves_no_time_open(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    black = [
        province.probe(camera, at(130 + 30 * number), "down", cause="black", captured_at=at(120)) for number in range(5)
    ]
    await province.feed(
        ingest, *province.probes(camera, at(-25), at(110)), *black, *province.probes(camera, at(275), at(700))
    )
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 120),
        ("down", "black", 120, 275),
        ("up", None, 275, 600),
    ]


async def test_empty_picture_that_nobody_judged_is_unknown_and_one_that_was_found_good_was_up(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    await province.feed(
        ingest,
        *province.probes(camera, at(-25), at(700)),
        # Someone switches the light on, and the judge finds that it is the same place.
        province.media(camera, 2, at(103), media_since=at(-30), picture_since=at(100), picture_sign="weight"),
        province.media(camera, 3, at(106), media_since=at(-30), picture_since=at(100), picture_judged=True),
        # It changes for ten seconds, and nobody comes in time.
        province.media(camera, 4, at(202), media_since=at(-30), picture_since=at(200), picture_sign="deltas"),
        province.media(camera, 5, at(212), media_since=at(-30), picture_since=at(210), picture_sign="deltas"),
        province.media(camera, 6, at(213), media_since=at(-30), picture_since=at(210), picture_judged=True),
    )
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 200),
        ("unknown", None, 200, 210),
        ("up", None, 210, 600),
    ]


async def test_empty_picture_that_only_a_judge_saw_may_have_begun_before_its_weight_changed_by_chance(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    facts = [
        *province.probes(camera, at(-25), at(65)),
        # People come at 90, amid keyframes that have been damaged for some time: the last good picture is of 60.
        province.media(camera, 2, at(91), media_since=at(-30), picture_since=at(90), picture_sign="weight"),
        province.probe(camera, at(95), "down", cause="decode_failed"),
        province.media(camera, 3, at(95.1), media_since=at(-30), picture_since=at(60), picture_sign="judged"),
        province.media(
            camera,
            4,
            at(95.2),
            media_since=at(-30),
            picture_since=at(94),
            picture_sign="judged",
            picture_judged=True,
            picture_cause="decode_failed",
        ),
        province.media(camera, 5, at(152), media_since=at(-30), picture_since=at(149), picture_sign="judged"),
        province.probe(camera, at(152), "up"),
        province.media(
            camera, 6, at(152.1), media_since=at(-30), picture_since=at(151), picture_sign="judged", picture_judged=True
        ),
        *province.probes(camera, at(185), at(700)),
    ]
    random.Random(7).shuffle(facts)
    for fact in facts:
        await province.feed(ingest, fact)
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 60),
        ("unknown", None, 60, 94),
        ("down", "decode_failed", 94, 149),
        ("unknown", None, 149, 151),
        ("up", None, 151, 600),
    ]


async def test_a_recording_that_another_forwarder_takes_is_unknown_until_that_one_can_know_what_it_shows(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera, other = await forwarded(ingest, province), "forwarder-000000000002"
    facts = [
        *province.probes(camera, at(-25), at(110)),
        province.media(camera, 2, at(104), media_since=at(-30), still_since=at(100), still_cause="repeats"),
        province.probe(camera, at(125), "down", cause="repeats"),
        # The first one goes on, and says no more of this camera.
        province.alive(at(700)),
        province.alive(at(700), worker=other),
        province.media(camera, 1, at(140), media_since=at(140), worker=other),
        *province.probes(camera, at(141), at(700)),
    ]
    random.Random(5).shuffle(facts)
    for fact in facts:
        await province.feed(ingest, fact)
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        # The last probe before holds until the next one.
        ("down", "repeats", 100, 141),
        ("unknown", None, 141, 185),
        ("up", None, 185, 600),
    ]


async def test_a_recording_that_the_next_forwarder_sees_too_is_down_from_then_on(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera, other = await forwarded(ingest, province), "forwarder-000000000002"
    await province.feed(
        ingest,
        *province.probes(camera, at(-25), at(110)),
        province.media(camera, 2, at(104), media_since=at(-30), still_since=at(100), still_cause="repeats"),
        province.alive(at(700), worker=other),
        province.media(camera, 1, at(140), media_since=at(140), worker=other),
        *province.probes(camera, at(141), at(160)),
        province.media(
            camera,
            2,
            at(162),
            media_since=at(140),
            held_since=at(140),
            still_since=at(150),
            still_cause="repeats",
            worker=other,
        ),
        *province.probes(camera, at(190), at(700)),
    )
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        ("down", "repeats", 100, 140),
        ("unknown", None, 140, 150),
        ("down", "repeats", 150, 600),
    ]
