"""Who can end it that a centre receives nothing: nobody is accused without proof, and no millisecond is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.domain.evidence.claims import Status
from reporting.domain.evidence.parties import add_up, divide, party_of
from reporting.domain.segments import Period, Segment
from vonggac.events.causes import Cause
from vonggac.events.forwarder import DeliveryState, Responsibility
from vonggac.events.inventory.serving import SelfCheckOutcome

STATUSES = st.builds(
    Status, st.sampled_from([*DeliveryState]).map(str), st.none() | st.sampled_from([*Cause]).map(str), st.just(0)
)
LINES = st.lists(st.integers(0, 1000), unique=True, max_size=12).map(sorted)


@pytest.mark.parametrize(
    ("state", "cause", "party"),
    [
        ("waiting_for_camera", "refused", "camera"),
        ("waiting_for_camera", "auth_failed", "camera"),
        ("waiting_for_camera", "route", "line"),
        ("waiting_for_camera", "timeout", "unknown"),
        ("waiting_for_camera", None, "unknown"),
        ("waiting_for_centre", "not_asked", "unknown"),
        ("waiting_for_centre", "left", "unknown"),
        ("waiting_for_centre", "refused", "unknown"),
        ("waiting_for_centre", "ended", "us"),
        ("waiting_for_centre", "secret_unreadable", "us"),
        ("backing_off", "route", "unknown"),
        ("backing_off", "refused", "unknown"),
        ("stalled", "stalled", "unknown"),
        ("refused", "auth_failed", "unknown"),
        ("stopped", "stopped", "us"),
        ("disabled", None, "us"),
        ("backing_off", "secret_unreadable", "us"),
        ("backing_off", "transport_unsupported", "us"),
    ],
)
def test_each_party_answers_for_what_it_can_end(state: str, cause: str | None, party: str) -> None:
    assert party_of(Status(state, cause, 0)) == party


def test_what_no_forwarder_showed_is_nobody_s() -> None:
    assert party_of(None) is Responsibility.UNKNOWN


def test_a_check_of_ours_proves_nothing_of_a_centre_that_is_refused_for_its_address() -> None:
    """It does not come from the centre's network."""
    refused = Status("waiting_for_centre", "refused", 0)
    for reason, party in (("address_not_allowed", "unknown"), ("auth_failed", "centre"), (None, "centre")):
        assert party_of(refused, SelfCheckOutcome.SERVED, reason) == party, reason
        assert party_of(refused, SelfCheckOutcome.TLS, reason) == "us", reason
    assert party_of(Status("waiting_for_centre", "left", 0), SelfCheckOutcome.SERVED, "address_not_allowed") == "centre"


@pytest.mark.parametrize("cause", ["not_asked", "left", "refused"])
def test_a_centre_without_a_session_is_named_between_two_checks_that_were_good(cause: str) -> None:
    shown = [Segment(0, 1000, Status("waiting_for_centre", cause, 0))]
    checks = [Segment(200, 500, SelfCheckOutcome.SERVED), Segment(600, 700, SelfCheckOutcome.TLS)]
    sums = add_up(divide(Period(0, 1000), [Segment(0, 1000, True)], shown, checks))
    assert dict(sums) == {
        Responsibility.US: 100,
        Responsibility.CENTRE: 300,
        Responsibility.CAMERA: 0,
        Responsibility.LINE: 0,
        Responsibility.UNKNOWN: 600,
    }


@given(STATUSES)
def test_the_centre_is_never_named_without_proof(status: Status) -> None:
    assert party_of(status) is not Responsibility.CENTRE


@given(LINES, LINES, st.lists(STATUSES, min_size=12, max_size=12))
def test_the_parties_add_up_to_the_time_that_was_not_connected(
    away: list[int], borders: list[int], statuses: list[Status]
) -> None:
    lost = [Segment(start, end, True) for start, end in zip(away[::2], away[1::2], strict=False)]
    shown = [Segment(start, end, one) for start, end, one in zip(borders, borders[1:], statuses, strict=False)]
    sums = add_up(divide(Period(0, 1000), lost, shown))
    assert [*sums] == [*Responsibility]
    assert sum(sums.values()) == sum(end - start for start, end, _ in lost)
