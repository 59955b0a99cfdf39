"""A fact that was numbered and never came is unknown time; one that comes late is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.lives import Life, without_gaps
from reporting.ingest.gaps import GIVEN_UP_AFTER, Gap, Numbered, give_up, new_gaps, without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.reporting.tests.conftest import Province, Start

    from reporting.ingest.handlers import Ingest
    from vonggac.bus import Bus
    from vonggac.database import Database
    from vonggac.events import CloudEvent, Payload

T0 = datetime(2026, 11, 24, 8, tzinfo=UTC)
WORKER = "forwarder-000000000001"


def at(sequence: int) -> datetime:
    return T0 + timedelta(seconds=sequence)


def numbered(*sequences: int) -> list[Numbered]:
    return [Numbered(sequence, at(sequence)) for sequence in sequences]


def test_a_gap_lies_between_the_facts_around_it() -> None:
    found, newest = new_gaps(None, numbered(3, 4, 8, 6))
    assert found == [Gap(5, 5, at(4), at(6)), Gap(7, 7, at(6), at(8))]
    assert newest == Numbered(8, at(8))
    assert new_gaps(newest, numbered(2, 8)) == ([], newest)
    assert new_gaps(newest, numbered(11))[0] == [Gap(9, 10, at(8), at(11))]


def test_what_comes_late_closes_its_part_of_the_gap() -> None:
    gap = Gap(5, 9, at(4), at(10))
    assert without(gap, [7]) == [gap._replace(last=6), gap._replace(first=8)]
    assert without(gap, [5, 6, 9, 20, 1]) == [gap._replace(first=7, last=8)]
    assert without(gap, range(1, 20)) == []
    assert without(gap, [1]) == [gap]


@given(st.lists(st.sets(st.integers(1, 30), min_size=1), min_size=1, max_size=6))
def test_after_all_batches_exactly_what_never_came_is_missing(batches: Sequence[set[int]]) -> None:
    newest, missing = None, list[Gap]()
    for batch in batches:
        found, newest = new_gaps(newest, numbered(*batch))
        missing = [left for gap in missing for left in without(gap, batch)] + found
    came = set().union(*batches)
    first = min(batches[0])
    assert {each for gap in missing for each in range(gap.first, gap.last + 1)} == {
        each for each in range(first, max(came) + 1) if each not in came
    }


def test_a_gap_ends_a_life_and_another_begins_after_it() -> None:
    lives = [Life(0, 100), Life(200, 300)]
    assert without_gaps(lives, [Life(40, 60)]) == [Life(0, 40), Life(60, 100), Life(200, 300)]
    assert without_gaps(lives, [Life(50, 50)]) == [Life(0, 50), Life(51, 100), Life(200, 300)]
    assert without_gaps(lives, [Life(90, 250)]) == [Life(0, 90), Life(250, 300)]


def published(event: CloudEvent[Payload], sequence: int) -> CloudEvent[Payload]:
    return event.model_copy(update={"publisher": WORKER, "publishersequence": sequence})


@pytest.mark.server
async def test_lost_facts_of_a_forwarder_are_unknown_counted_and_shown(
    start: Start, ingest: Ingest, database: Database, province: Province, bus: Bus
) -> None:
    camera = province.camera()
    half, end = T0 + timedelta(minutes=30), T0 + timedelta(hours=1)
    facts = [province.change(planned, camera, 1, T0, "acknowledged") for planned in camera.deliveries]
    facts += [province.alive(T0 + timedelta(minutes=minute)) for minute in range(10)]
    # Two facts are lost between the 10th and the 30th minute; what they said, nobody knows.
    later = [province.alive(half + timedelta(minutes=minute)) for minute in range(31)]
    told = [published(event, number) for number, event in enumerate(facts, 1)]
    told += [published(event, number) for number, event in enumerate(later, len(facts) + 3)]
    await province.feed(ingest, *province.base(), province.stated("camera", camera))
    await province.feed(ingest, *province.probes(camera, T0, end), *province.watched(T0), province.prober_alive(end))
    await province.feed(ingest, *reversed(told))
    assert (await seconds(start, end))["connected"] == [3600.0, 3600.0]
    async with database.transaction() as session:
        assert (await give_up(session, datetime.now(UTC)))[0] == 0
        assert (await give_up(session, datetime.now(UTC) + 2 * GIVEN_UP_AFTER))[0] == 2
        assert (await give_up(session, datetime.now(UTC) + 3 * GIVEN_UP_AFTER))[0] == 0
    seen = await seconds(start, end)
    assert seen["connected"] == [540.0, 540.0]
    [shown] = seen["lost"]
    assert (shown["publisher"], shown["first"], shown["last"]) == (WORKER, len(facts) + 1, len(facts) + 2)
    # The facts come after all, as with a replayed dead letter: nothing is missing any more.
    late = [province.alive(T0 + timedelta(minutes=10 + number)) for number in range(2)]
    await province.feed(ingest, *(published(event, len(facts) + 1 + number) for number, event in enumerate(late)))
    assert await seconds(start, end) == {"connected": [3600.0, 3600.0], "lost": []}


async def seconds(start: Start, end: datetime) -> dict[str, Any]:
    async with start() as client:
        period = {"from": T0.isoformat(), "to": end.isoformat()}
        [line] = (await client.get("/v1/compliance", params=period)).json()["cameras"]
        lost = (await client.get("/v1/lost-facts")).json()["items"]
    return {"connected": [one["seconds"]["connected"] for one in line["deliveries"]], "lost": lost}
