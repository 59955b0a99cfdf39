"""The states of a delivery that its centre opens: each by what was observed, and nobody is accused without proof."""

from datetime import UTC, datetime, timedelta

import pytest

from forwarder.domain.clock import Instant
from forwarder.domain.delivery import Action, CameraAway, CameraLive, Decision, Delivery, Limits, waiting
from forwarder.domain.progress import Opened, ProgressRead
from forwarder.domain.serving.asking import Asking
from forwarder.domain.serving.served_delivery import (
    REPORTS_WITHIN_S,
    Event,
    Refused,
    SessionLeft,
    SessionsEnded,
    decide,
    responsibility,
)
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState, Responsibility
from vonggac.events.inventory.serving import SelfCheckOutcome

START = datetime(2026, 12, 1, 1, tzinfo=UTC)
LIMITS = Limits(stall_s=5.0, drop_s=15.0)
NOT_ASKED = Asking()
RECEIVED = NOT_ASKED.note_session()


def at(second: float) -> Instant:
    return Instant(START + timedelta(seconds=second), 100.0 + second)


class Served:
    """One delivery through what happens to it."""

    def __init__(self, *, over_udp: bool = False) -> None:
        self.delivery: Delivery = waiting(at(0))
        self.asking, self.over_udp = NOT_ASKED, over_udp
        self.last = Decision(self.delivery)

    def sees(self, event: Event, second: float) -> Delivery:
        self.last = decide(self.delivery, event, at(second), asking=self.asking, over_udp=self.over_udp, limits=LIMITS)
        self.delivery = self.last.delivery
        return self.delivery

    def begins(self, second: float = 1) -> None:
        self.sees(CameraLive(), second)
        self.asking = self.asking.note_session()
        self.sees(Opened(), second)

    def reads(self, written: int, acknowledged: int, second: float, **more: float | bool) -> Delivery:
        return self.sees(ProgressRead(written, acknowledged, **more), second)  # type: ignore[arg-type]


def test_served_centre_that_never_asked_is_waited_for_and_nobody_is_accused() -> None:
    served = Served()
    delivery = served.sees(CameraLive(), 1)
    assert (delivery.state, delivery.cause, delivery.since) == (
        DeliveryState.WAITING_FOR_CENTRE,
        Cause.NOT_ASKED,
        at(1).at,
    )
    assert served.last.actions == (Action.OPEN,)
    assert responsibility(delivery, served.asking, START) is Responsibility.UNKNOWN


def test_served_session_is_connecting_until_bytes_are_acknowledged() -> None:
    served = Served()
    served.begins()
    assert served.reads(50_000, 0, 1.2).state is DeliveryState.CONNECTING
    assert served.reads(90_000, 0, 1.4).since == at(1).at
    acknowledged = served.reads(99_000, 60_000, 1.6)
    assert (acknowledged.state, acknowledged.cause) == (DeliveryState.ACKNOWLEDGED, None)
    assert responsibility(acknowledged, served.asking, START) is None


def test_served_centre_that_leaves_is_waited_for_again() -> None:
    served = Served()
    served.begins()
    served.reads(99_000, 60_000, 1.6)
    delivery = served.sees(SessionsEnded(), 9)
    assert (delivery.state, delivery.cause) == (DeliveryState.WAITING_FOR_CENTRE, Cause.LEFT)
    assert delivery.last_acknowledged_at is not None
    assert served.last.actions == ()


def test_served_centre_that_reads_nothing_is_stalled_and_stays_so_when_its_session_is_ended() -> None:
    served = Served()
    served.begins()
    served.reads(99_000, 99_000, 2)
    served.reads(150_000, 99_000, 3)
    assert served.reads(250_000, 99_000, 8.1).state is DeliveryState.STALLED
    # A pushed session would be dropped and tried again by now.
    still = served.reads(250_000, 99_000, 30)
    assert (still.state, served.last.actions) == (DeliveryState.STALLED, ())
    ended = served.sees(SessionsEnded(stalled=True), 31)
    assert (ended.state, ended.cause, ended.since) == (DeliveryState.STALLED, Cause.STALLED, at(8.1).at)
    assert responsibility(ended, served.asking, START) is Responsibility.UNKNOWN
    assert served.sees(Opened(), 40).state is DeliveryState.CONNECTING


def test_served_bytes_that_nobody_can_know_of_accuse_nobody() -> None:
    served = Served()
    served.begins()
    served.reads(99_000, 99_000, 2)
    assert served.reads(250_000, 99_000, 9, doubtful=True).state is DeliveryState.ACKNOWLEDGED


def test_served_udp_without_reports_is_sending_and_never_stalled() -> None:
    served = Served(over_udp=True)
    served.begins()
    for second in range(2, 60):
        assert served.reads(9_000 * second, 0, second, doubtful=True).state is DeliveryState.SENDING


def test_served_udp_is_acknowledged_while_reports_come() -> None:
    served = Served(over_udp=True)
    served.begins()
    served.reads(9_000, 0, 2, doubtful=True)
    assert served.reads(18_000, 9_000, 3, doubtful=True).state is DeliveryState.ACKNOWLEDGED
    assert served.reads(90_000, 9_000, 10, doubtful=True).state is DeliveryState.ACKNOWLEDGED
    late = served.reads(99_000, 9_000, 3 + REPORTS_WITHIN_S + 1, doubtful=True)
    assert late.state is DeliveryState.SENDING
    assert served.reads(200_000, 190_000, 25, doubtful=True).state is DeliveryState.ACKNOWLEDGED


@pytest.mark.parametrize(
    "why", [Cause.AUTH_FAILED, Cause.ADDRESS_NOT_ALLOWED, Cause.TLS_REQUIRED, Cause.TRANSPORT_UNSUPPORTED]
)
def test_served_centre_that_is_refused_is_shown_with_the_reason(why: Cause) -> None:
    served = Served()
    served.sees(CameraLive(), 1)
    served.asking = served.asking.note_refused(why, at(5).at, "10.9.0.7, VMS 4")
    delivery = served.sees(Refused(), 5)
    assert (delivery.state, delivery.cause) == (DeliveryState.WAITING_FOR_CENTRE, Cause.REFUSED)
    assert delivery.detail == f"{why}: 10.9.0.7, VMS 4"
    assert served.asking.refusals == {why: 1}
    assert responsibility(delivery, served.asking, START) is Responsibility.UNKNOWN


def test_served_refusal_for_another_reason_is_news_and_the_same_once_more_is_not() -> None:
    served = Served()
    served.sees(CameraLive(), 1)
    for second, why in ((5, Cause.AUTH_FAILED), (6, Cause.AUTH_FAILED), (7, Cause.TLS_REQUIRED)):
        served.asking = served.asking.note_refused(why, at(second).at, "10.9.0.7")
        delivery = served.sees(Refused(), second)
        assert delivery.since == at(5 if second < 7 else 7).at
    assert served.asking.refusals == {Cause.AUTH_FAILED: 2, Cause.TLS_REQUIRED: 1}


def test_served_session_limit_changes_nothing_of_what_is_received() -> None:
    served = Served()
    served.begins()
    served.reads(99_000, 60_000, 2)
    served.asking = served.asking.note_refused(Cause.SESSION_LIMIT, at(3).at, "10.9.0.7")
    assert served.sees(Refused(), 3).state is DeliveryState.ACKNOWLEDGED
    served.asking = served.asking.note_session()
    assert served.sees(SessionsEnded(), 4).cause is Cause.LEFT


def test_served_sessions_are_as_good_as_the_best() -> None:
    served = Served()
    served.begins()
    served.reads(200_000, 100_000, 2)
    # One of two takes nothing: what the other takes is enough.
    assert served.reads(400_000, 200_000, 8).state is DeliveryState.ACKNOWLEDGED
    served.sees(SessionLeft(abandoned=200_000), 9)
    assert served.reads(230_000, 230_000, 10).state is DeliveryState.ACKNOWLEDGED
    assert not served.delivery.progress or not served.delivery.progress.pending


def test_served_camera_that_cannot_be_had_is_waited_for_and_its_cause_says_whose_it_is() -> None:
    served = Served()
    served.begins()
    served.reads(99_000, 60_000, 2)
    away = served.sees(CameraAway(Cause.AUTH_FAILED), 3)
    assert (away.state, served.last.actions) == (DeliveryState.WAITING_FOR_CAMERA, (Action.CLOSE,))
    assert responsibility(away, served.asking, START) is Responsibility.CAMERA
    assert responsibility(served.sees(CameraAway(Cause.ROUTE), 4), served.asking, START) is Responsibility.LINE
    assert responsibility(served.sees(CameraAway(Cause.TIMEOUT), 5), served.asking, START) is Responsibility.UNKNOWN
    back = served.sees(CameraLive(), 6)
    assert (back.state, back.cause) == (DeliveryState.WAITING_FOR_CENTRE, Cause.LEFT)


def test_served_password_that_cannot_be_opened_is_our_fault() -> None:
    served = Served()
    served.asking = Asking(unusable=Cause.SECRET_UNREADABLE)
    delivery = served.sees(CameraLive(), 1)
    assert (delivery.state, delivery.cause) == (DeliveryState.WAITING_FOR_CENTRE, Cause.SECRET_UNREADABLE)
    assert responsibility(delivery, served.asking, START) is Responsibility.US


def test_served_centre_that_had_it_from_an_earlier_holder_has_left() -> None:
    served = Served()
    served.asking = RECEIVED
    assert served.sees(CameraLive(), 1).cause is Cause.LEFT


@pytest.mark.parametrize("cause", [None, Cause.AUTH_FAILED, Cause.TLS_REQUIRED, Cause.SESSION_LIMIT])
def test_served_centre_is_named_only_while_a_check_of_its_address_was_good(cause: Cause | None) -> None:
    served = Served()
    if cause is not None:
        served.asking = served.asking.note_refused(cause, at(0).at, "10.9.0.7")
    delivery = served.sees(CameraLive(), 1)
    asking = served.asking.note_check(SelfCheckOutcome.SERVED, at(10).at)
    named = [responsibility(delivery, asking, at(second).at) for second in (9, 10, 10 + 899, 10 + 900)]
    assert named == [Responsibility.UNKNOWN, Responsibility.CENTRE, Responsibility.CENTRE, Responsibility.UNKNOWN]


@pytest.mark.parametrize("outcome", [SelfCheckOutcome.UNREACHABLE, SelfCheckOutcome.TLS, SelfCheckOutcome.LOGIN])
def test_served_address_that_we_cannot_play_ourselves_is_our_fault(outcome: SelfCheckOutcome) -> None:
    served = Served()
    delivery = served.sees(CameraLive(), 1)
    good = served.asking.note_check(SelfCheckOutcome.SERVED, at(10).at)
    failed = good.note_check(outcome, at(20).at)
    assert responsibility(delivery, failed, at(21).at) is Responsibility.US
    assert failed.note_check(SelfCheckOutcome.SERVED, at(15).at) is failed


@pytest.mark.parametrize(
    "outcome", [SelfCheckOutcome.NO_PICTURE, SelfCheckOutcome.OTHER_PICTURE, SelfCheckOutcome.NOT_CHECKABLE]
)
def test_served_check_that_proves_nothing_accuses_nobody(outcome: SelfCheckOutcome) -> None:
    served = Served()
    asking = served.asking.note_check(outcome, at(10).at)
    assert responsibility(served.sees(CameraLive(), 1), asking, at(11).at) is Responsibility.UNKNOWN


def test_served_centre_whose_network_is_refused_is_not_named_by_a_check_from_another_one() -> None:
    served = Served()
    served.asking = served.asking.note_refused(Cause.ADDRESS_NOT_ALLOWED, at(0).at, "10.9.0.7")
    asking = served.asking.note_check(SelfCheckOutcome.SERVED, at(10).at)
    assert responsibility(served.sees(CameraLive(), 1), asking, at(11).at) is Responsibility.UNKNOWN


def test_served_session_that_stalls_is_nobody_s_whatever_a_check_found() -> None:
    served = Served()
    served.begins()
    served.reads(99_000, 99_000, 2)
    served.reads(150_000, 99_000, 3)
    asking = served.asking.note_check(SelfCheckOutcome.SERVED, at(4).at)
    stalled = served.reads(250_000, 99_000, 8.1)
    assert (stalled.state, responsibility(stalled, asking, at(9).at)) == (
        DeliveryState.STALLED,
        Responsibility.UNKNOWN,
    )
