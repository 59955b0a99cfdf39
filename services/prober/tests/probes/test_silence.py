"""Cameras that do not answer have places of their own: they starve no camera that does."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from prober.domain.schedule import PreviousProbe
from prober.probes.silence import CROWDED_S, DARK_AFTER, SLOW_AFTER_S, ProbePlace, SilentPlaces
from vonggac.events import Cause
from vonggac.events.prober import Verdict

SITE, OTHER = uuid4(), uuid4()


class Rig:
    """Some places for silent cameras; `given_back` of those for the others."""

    def __init__(self, most: int = 1) -> None:
        self.now_s = 0.0
        self.given_back = 0
        self.places = SilentPlaces(most, monotonic_s=lambda: self.now_s)

    def place(self, site: UUID = SITE) -> ProbePlace:
        return ProbePlace(self.places, site, self._give_back)

    def _give_back(self) -> None:
        self.given_back += 1


def last(verdict: Verdict, duration_s: float) -> PreviousProbe:
    at = datetime(2026, 11, 24, tzinfo=UTC)
    return PreviousProbe(1, Cause.TIMEOUT, 60.0, at, verdict=verdict, duration_s=duration_s)


SILENT = last(Verdict.DOWN, SLOW_AFTER_S)


def test_a_camera_that_was_silent_begins_only_where_a_place_for_such_is_free() -> None:
    rig = Rig()
    first, second = rig.place(), rig.place()
    assert first.is_free(SILENT)
    assert not second.is_free(SILENT)
    assert (rig.given_back, rig.places.taken) == (1, 1)
    first.end(answered=False)
    assert second.is_free(SILENT)


@pytest.mark.parametrize("previous", [None, last(Verdict.UP, 9.0), last(Verdict.DOWN, SLOW_AFTER_S - 0.1)])
def test_a_camera_that_answers_starves_for_no_silent_one(previous: PreviousProbe | None) -> None:
    rig = Rig()
    assert rig.place().is_free(SILENT)
    place = rig.place()
    assert place.is_free(previous)
    assert not place.is_silent


def test_a_probe_that_lasts_gives_its_place_back_to_those_that_answer_once() -> None:
    rig = Rig()
    place = rig.place()
    assert place.is_free(None)
    place.lasts()
    place.lasts()
    assert (rig.given_back, rig.places.taken, place.is_silent) == (1, 1, True)
    # Where there is no room for it, it stays.
    another = rig.place()
    another.lasts()
    assert (rig.given_back, another.is_silent) == (1, False)
    place.end(answered=False)
    assert rig.places.taken == 0


def test_every_camera_of_a_site_that_has_gone_dark_is_taken_for_silent_until_one_answers() -> None:
    rig = Rig(most=DARK_AFTER)
    for _ in range(DARK_AFTER):
        slow = rig.place()
        slow.lasts()
    assert rig.places.is_dark(SITE)
    assert not rig.place().is_free(None)
    assert rig.place(OTHER).is_free(None)
    assert rig.place().answer_within_s(10.0) == 5.0
    assert rig.place(OTHER).answer_within_s(10.0) is None
    rig.place().end(answered=True)
    assert rig.place().is_free(None)
    assert rig.place().answer_within_s(10.0) is None


def test_silent_cameras_are_probed_less_often_for_a_while_after_one_found_no_place() -> None:
    rig = Rig()
    crowded = [(rig.place().is_free(SILENT), rig.places.is_crowded) for _ in range(2)]
    for rig.now_s in (CROWDED_S - 0.1, CROWDED_S):
        crowded.append((False, rig.places.is_crowded))
    assert crowded == [(True, False), (False, True), (False, True), (False, False)]


def test_without_such_places_every_probe_begins() -> None:
    rig = Rig(most=0)
    assert rig.place().is_free(SILENT)
    assert rig.given_back == 0
