"""A recording in a loop that somebody disputes: down, then unknown, then as another one decided; never before."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from services.reporting.tests.api.compliance.test_dated_outages import at, forwarded, intervals

from vonggac.events.prober import DisputeDecision, RepetitionDispute

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest

LOOP: dict[str, Any] = {"media_since": at(-30), "still_since": at(100), "still_cause": "repeats"}


def dispute(
    *, decided: float | None = None, confirmed: bool = True, ended: float | None = None, disputed: float = 200
) -> RepetitionDispute:
    decision = DisputeDecision.CONFIRMED if confirmed else DisputeDecision.REFUSED
    return RepetitionDispute(
        disputed_at=at(disputed),
        decided_at=None if decided is None else at(decided),
        decision=None if decided is None else decision,
        ended_at=None if ended is None else at(ended),
    )


@pytest.mark.parametrize("confirmed", [True, False], ids=["confirmed", "refused"])
@pytest.mark.parametrize("forwards", [True, False], ids=["seen by its forwarder", "by probes alone"])
async def test_a_camera_that_repeats_is_unknown_from_the_dispute_and_then_as_it_was_decided(
    client: Client, ingest: Ingest, province: Province, *, confirmed: bool, forwards: bool
) -> None:
    camera = await forwarded(ingest, province)
    after = ("down", "repeats") if confirmed else ("up", None)
    ruled = dispute(decided=400, confirmed=confirmed)
    over = ruled.model_copy(update={"ended_at": at(500)})
    facts = [
        *province.probes(camera, at(-25), at(110)),
        *(province.probe(camera, at(s), "down", cause="repeats", still_since=at(100)) for s in (125, 155, 185)),
        *(province.probe(camera, at(s), "unknown", cause="repeats", dispute=dispute()) for s in range(215, 400, 30)),
        *(
            province.probe(camera, at(s), after[0], cause=after[1], dispute=ruled, still_since=at(100))
            for s in range(425, 500, 30)
        ),
        *(province.probe(camera, at(s), dispute=over) for s in range(515, 700, 30)),
    ]
    if forwards:
        facts += [
            province.media(camera, 2, at(117), **LOOP),
            province.media(camera, 3, at(502), **LOOP, still_until=at(500)),
        ]
    random.Random(7).shuffle(facts)
    for fact in facts:
        await province.feed(ingest, fact)
    # By probes alone the end is that of the first good one.
    end, since = (500, 100) if forwards else (515, 125)
    rest: list[Any] = [(*after, 400, end), ("up", None, end, 600)] if confirmed else [("up", None, 400, 600)]
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, since),
        ("down", "repeats", since, 200),
        ("unknown", "repeats", 200, 400),
        *rest,
    ]


async def test_a_camera_that_repeats_anew_after_a_refused_dispute_is_down_again(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    over = dispute(decided=220, confirmed=False, ended=300)
    again = LOOP | {"still_since": at(400)}
    await province.feed(
        ingest,
        *province.probes(camera, at(-25), at(110)),
        province.media(camera, 2, at(117), **LOOP),
        *(province.probe(camera, at(s), dispute=over) for s in range(125, 410, 30)),
        province.media(camera, 3, at(301), **LOOP, still_until=at(300)),
        province.media(camera, 4, at(421), **again),
        *(province.probe(camera, at(s), "down", cause="repeats", still_since=at(400)) for s in range(425, 700, 30)),
    )
    assert (await intervals(client, "cameras", camera.id))[-1] == ("down", "repeats", 400, 600)


async def test_a_dispute_changes_nothing_of_a_camera_that_is_down_for_what_else_it_shows(
    client: Client, ingest: Ingest, province: Province
) -> None:
    camera = await forwarded(ingest, province)
    refused = dispute(disputed=10, decided=20, confirmed=False)
    await province.feed(
        ingest,
        *province.probes(camera, at(-25), at(300)),
        *(province.probe(camera, at(s), "down", cause="black", dispute=refused) for s in range(305, 700, 30)),
    )
    assert (await intervals(client, "cameras", camera.id))[-1][:2] == ("down", "black")


@pytest.mark.parametrize("decided", [None, 203], ids=["disputed", "refused"])
async def test_a_camera_whose_media_stops_before_the_first_probe_after_the_ruling_is_down(
    client: Client, ingest: Ingest, province: Province, *, decided: float | None
) -> None:
    camera = await forwarded(ingest, province)
    ruled = dispute(decided=decided, confirmed=False)
    stopped = LOOP | {"still_until": at(207), "media_stopped_at": at(207), "state": "stopped", "cause": "refused"}
    await province.feed(
        ingest,
        *province.probes(camera, at(-25), at(110)),
        *(province.probe(camera, at(s), "down", cause="repeats", still_since=at(100)) for s in (125, 155, 185)),
        province.media(camera, 2, at(117), **LOOP),
        province.media(camera, 3, at(209), **stopped),
        *(province.probe(camera, at(s), "down", cause="refused", dispute=ruled) for s in range(240, 700, 30)),
    )
    excused: list[Any] = [("unknown", "repeats", 200, decided or 207)]
    if decided is not None:
        excused += [("up", None, decided, 207)]
    assert await intervals(client, "cameras", camera.id) == [
        ("up", None, 0, 100),
        ("down", "repeats", 100, 200),
        *excused,
        ("down", "refused", 207, 600),
    ]
