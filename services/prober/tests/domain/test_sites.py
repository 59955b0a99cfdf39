"""One fault of a site instead of one for each of its cameras."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from prober.domain.sites import CameraProbe, decide_site, event_id
from vonggac.events import Cause
from vonggac.events.prober import SiteObservedV1, SiteState, Verdict

NOW = datetime(2021, 5, 7, 8, 0, tzinfo=UTC)
SITE = uuid4()


def probe(number: int, cause: Cause | None = Cause.TIMEOUT, *, at_s: float = 0.0, **changes: Any) -> CameraProbe:
    at = NOW + timedelta(seconds=at_s)
    verdict = Verdict.UP if cause is None else Verdict.DOWN
    values = {"verdict": verdict, "observed_at": at, "since": at, "interval_s": 60.0, **changes}
    return CameraProbe(camera_id=UUID(int=number), cause=cause, **values)


def decided(*probes: CameraProbe, fault: SiteObservedV1 | None = None) -> SiteObservedV1 | None:
    return decide_site(SITE, probes, fault, least_cameras=3)


def failing() -> SiteObservedV1:
    fault = decided(probe(1), probe(2, at_s=20), probe(3, at_s=40))
    assert fault is not None
    return fault


def test_cameras_that_all_fail_alike_within_an_interval_make_one_fault_with_the_list() -> None:
    fault = failing()
    assert (fault.state, fault.cause, fault.began_at) == (SiteState.FAILING, Cause.TIMEOUT, NOW + timedelta(seconds=40))
    assert fault.camera_ids == (UUID(int=1), UUID(int=2), UUID(int=3))


def test_a_broken_line_may_show_as_several_causes() -> None:
    fault = decided(probe(1, Cause.ROUTE), probe(2), probe(3))
    assert fault is not None
    assert fault.cause is Cause.TIMEOUT


@pytest.mark.parametrize(
    "probes",
    [
        pytest.param((probe(1), probe(2)), id="too few cameras"),
        pytest.param((probe(1), probe(2), probe(3, None)), id="one is up"),
        pytest.param((probe(1), probe(2), probe(3, verdict=Verdict.UNKNOWN)), id="one is unknown"),
        pytest.param((probe(1), probe(2), probe(3, Cause.BLACK)), id="not alike"),
        pytest.param((probe(1), probe(2), probe(3, at_s=-86_400)), id="one has failed since yesterday"),
    ],
)
def test_otherwise_there_is_no_fault_of_the_site(probes: tuple[CameraProbe, ...]) -> None:
    assert decided(*probes) is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(probe(9, at_s=-86_400), id="dead since yesterday"),
        pytest.param(probe(9, Cause.AUTH_FAILED, at_s=-900, interval_s=1800.0), id="its login rests"),
        pytest.param(probe(9, Cause.ADDRESS_NOT_ALLOWED, at_s=-86_400, verdict=Verdict.UNKNOWN), id="wrong address"),
    ],
)
def test_a_camera_with_a_trouble_of_its_own_since_before_does_not_hide_the_sites_fault(other: CameraProbe) -> None:
    fault = decided(probe(1), other, probe(2, at_s=20), probe(3, at_s=40))
    assert fault is not None
    assert (fault.cause, fault.camera_ids) == (Cause.TIMEOUT, failing().camera_ids)


def test_a_login_that_rests_does_not_make_the_interval_longer() -> None:
    resting = probe(9, Cause.AUTH_FAILED, at_s=-900, interval_s=1800.0)
    assert decided(probe(1), probe(2), probe(3, at_s=400), resting) is None


def test_a_fault_that_lasts_is_not_published_again() -> None:
    assert decided(probe(1, at_s=90), probe(2, at_s=90), probe(3, Cause.REFUSED, at_s=90), fault=failing()) is None


def test_the_first_camera_that_comes_back_ends_it() -> None:
    over = decided(probe(1), probe(2, None, at_s=100), probe(3, None, at_s=130), fault=failing())
    assert over is not None
    assert (over.state, over.ended_at) == (SiteState.OVER, NOW + timedelta(seconds=100))
    assert over.camera_ids == failing().camera_ids


def test_a_site_without_cameras_has_no_fault_any_more() -> None:
    over = decided(fault=failing())
    assert over is not None
    assert over.state is SiteState.OVER


def test_whichever_prober_publishes_it_the_fault_is_the_same() -> None:
    probes = [probe(number, at_s=10.0 * number) for number in range(1, 8)]
    published = []
    for seed in range(5):
        random.Random(seed).shuffle(probes)
        fault = decided(*probes)
        assert fault is not None
        published.append((event_id(fault), fault))
    assert all(one == published[0] for one in published)
    assert event_id(failing()) != event_id(failing().model_copy(update={"state": SiteState.OVER}))


def test_a_site_of_many_cameras_is_one_fault_though_they_are_seen_falling_one_after_the_other() -> None:
    # With the settings as they come: 8 probes at a time at a network, 10 s for each, every minute.
    probes = [probe(number, at_s=10.0 * (number // 8)) for number in range(150)]
    fault = decided(*probes, probe(999, at_s=-91))
    assert fault is not None
    assert set(fault.camera_ids) == {one.camera_id for one in probes}
    assert fault.began_at == max(one.since for one in probes)


def over(*, at_s: float = 100) -> SiteObservedV1:
    fault = decided(probe(1), probe(2), probe(3, None, at_s=at_s), fault=failing())
    assert fault is not None
    assert fault.state is SiteState.OVER
    return fault


def test_a_camera_that_came_back_and_falls_again_before_the_others_are_back_is_a_new_fault_of_the_site() -> None:
    assert decided(probe(1), probe(2, at_s=20), probe(3, None, at_s=100), fault=over()) is None
    again = decided(probe(1), probe(2, at_s=20), probe(3, at_s=900), fault=over())
    assert again is not None
    assert (again.state, again.camera_ids) == (SiteState.FAILING, failing().camera_ids)
    assert (again.began_at, again.ended_at) == (NOW + timedelta(seconds=900), None)
    assert event_id(again) != event_id(failing())


@pytest.mark.parametrize(
    "others",
    [
        pytest.param((probe(1, None, at_s=110), probe(2)), id="another is up"),
        pytest.param((probe(1), probe(2, Cause.BLACK, at_s=20)), id="not alike"),
        pytest.param((probe(1), probe(9)), id="too few of the last fault"),
        pytest.param((probe(1), probe(2, at_s=200)), id="one was back and fell for itself"),
    ],
)
def test_a_fault_that_is_over_makes_no_new_one_otherwise(others: tuple[CameraProbe, ...]) -> None:
    assert decided(*others, probe(3, at_s=900), fault=over()) is None
