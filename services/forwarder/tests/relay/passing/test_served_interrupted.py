"""Who is named while a centre has not come back after a change of workers: us, for as long as its software may take."""

from datetime import UTC, datetime, timedelta

import pytest

from forwarder.domain.clock import Instant
from forwarder.domain.delivery import CameraLive, Delivery, Limits, waiting
from forwarder.domain.progress import Opened
from forwarder.domain.serving.asking import Asking
from forwarder.domain.serving.served_delivery import (
    COMES_BACK_WITHIN,
    Event,
    NotBack,
    SessionsEnded,
    comes_back,
    decide,
    responsibility,
)
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState, Responsibility
from vonggac.events.inventory.serving import SelfCheckOutcome

BEGAN = datetime(2026, 12, 1, 8, tzinfo=UTC)
INTERRUPTED = Asking(received=True, interrupted=True)


def at(seconds: float) -> Instant:
    return Instant(BEGAN + timedelta(seconds=seconds), seconds)


def after(delivery: Delivery, event: Event, seconds: float, asking: Asking) -> Delivery:
    return decide(delivery, event, at(seconds), asking=asking, over_udp=False, limits=Limits()).delivery


def live(asking: Asking) -> Delivery:
    return after(waiting(at(0)), CameraLive(), 1, asking)


def test_a_centre_that_was_cut_off_by_us_is_not_named_even_after_a_good_check() -> None:
    delivery = live(INTERRUPTED)
    assert (delivery.state, delivery.cause) == (DeliveryState.WAITING_FOR_CENTRE, Cause.ENDED)
    checked = INTERRUPTED.note_check(SelfCheckOutcome.SERVED, at(2).at)
    assert responsibility(delivery, checked, at(3).at) is Responsibility.US


def test_a_centre_that_does_not_come_back_in_time_has_left_and_may_be_named() -> None:
    delivery = live(INTERRUPTED)
    last_s = 1 + COMES_BACK_WITHIN.total_seconds()
    assert comes_back(delivery, at(last_s - 0.1).at)
    assert not comes_back(delivery, at(last_s).at)
    absent = INTERRUPTED.note_absence()
    delivery = after(delivery, NotBack(), last_s, absent)
    assert (delivery.cause, delivery.since) == (Cause.LEFT, at(last_s).at)
    assert responsibility(delivery, absent, at(last_s).at) is Responsibility.UNKNOWN
    checked = absent.note_check(SelfCheckOutcome.SERVED, at(last_s).at)
    assert responsibility(delivery, checked, at(last_s + 1).at) is Responsibility.CENTRE


@pytest.mark.parametrize(("interrupted", "cause"), [(True, Cause.ENDED), (False, Cause.LEFT)])
def test_a_session_that_ends_says_by_whom(interrupted: bool, cause: Cause) -> None:
    delivery = after(live(Asking()), Opened(), 2, Asking(received=True))
    asking = Asking().note_session(interrupted=interrupted)
    assert after(delivery, SessionsEnded(), 3, asking).cause is cause


def test_a_centre_that_is_back_is_no_longer_cut_off() -> None:
    assert INTERRUPTED.note_session().waits_for is Cause.LEFT


def test_a_refusal_after_the_cut_is_shown_as_what_it_is() -> None:
    assert INTERRUPTED.note_refused(Cause.AUTH_FAILED, BEGAN, "10.1.2.3").waits_for is Cause.REFUSED
