"""What was lost between two moments at which all streams stood."""

from datetime import UTC, datetime, timedelta

import pytest

from vonggac.bus.declared.losses import StreamStatus, find_losses
from vonggac.events.setup import LossKind, Refill, StreamLostV1

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def status_at(
    seen_s: float, *, last: int = 100, messages: int | None = 100, made_s: float = -1000, **more: object
) -> StreamStatus:
    given = {
        "seen_at": at(seen_s),
        "created": at(made_s),
        "messages": messages,
        "first_sequence": last - (messages or 0) + 1,
        "last_sequence": last,
        "first_at": at(made_s),
        "last_at": at(seen_s - 1),
    }
    return StreamStatus.model_validate(given | more)


def losses(before: dict[str, StreamStatus], now: dict[str, StreamStatus]) -> list[StreamLostV1]:
    return list(find_losses(before, now))


def test_streams_gone_are_found_by_when_they_were_made() -> None:
    before = {"PROBE_JOBS": status_at(0), "NOTICES": status_at(0, messages=7)}
    now = {"PROBE_JOBS": status_at(10), "NOTICES": status_at(10, made_s=8, messages=0, last=0)}
    [loss] = losses(before, now)
    assert (loss.stream, loss.kind, loss.messages, loss.filled_with) == ("NOTICES", LossKind.GONE, 7, Refill.KEPT_FACTS)
    assert (loss.lost_from, loss.lost_until, loss.seen_at) == (at(-1000), at(8), at(0))


def test_streams_that_a_backup_brought_are_not_gone() -> None:
    """They hold what was stored before they were made, or go on behind what an empty one had."""
    before = {"NOTICES": status_at(0), "PROBE_JOBS": status_at(0, messages=0)}
    now = {
        "NOTICES": status_at(10, made_s=8, first_at=at(-1000)),
        "PROBE_JOBS": status_at(10, made_s=8, messages=0, first_at=None),
    }
    assert losses(before, now) == []
    now["NOTICES"] = status_at(10, made_s=8, first_at=at(-1000), last=60, messages=60)
    [loss] = losses(before, now)
    assert (loss.stream, loss.kind) == ("NOTICES", LossKind.WENT_BACK), "the backup is older than what was seen"


def test_streams_that_never_stood_before_are_no_loss() -> None:
    assert losses({}, {"NOTICES": status_at(10)}) == []


def test_streams_gone_take_their_consumers_along_in_one_loss() -> None:
    before = {"OBSERVATIONS": status_at(0), "OBSERVATIONS/reporting_observations": status_at(0, messages=None)}
    now = {
        "OBSERVATIONS": status_at(10, made_s=8, messages=0, last=0),
        "OBSERVATIONS/reporting_observations": status_at(10, made_s=9, messages=None),
    }
    assert [(loss.stream, loss.consumer) for loss in losses(before, now)] == [("OBSERVATIONS", None)]
    now["OBSERVATIONS"] = status_at(10)
    [loss] = losses(before, now)
    assert (loss.consumer, loss.filled_with) == ("reporting_observations", Refill.MESSAGES_OF_STREAM)


def test_streams_gone_are_lost_since_reporting_had_taken_all() -> None:
    """All stored by noon was read at noon + 20; then reporting went away."""
    seen = None
    for seconds, last, unread in ((0, 100, 3), (10, 110, 2), (20, 120, 11), (30, 130, 21), (3600, 500, 391)):
        seen = status_at(seconds, last=last, unread=unread).after(seen)
    assert seen is not None
    assert seen.taken_until == at(0)
    [loss] = losses(
        {"OBSERVATIONS": seen}, {"OBSERVATIONS": status_at(3620, made_s=3610, messages=0, last=0, unread=0)}
    )
    assert (loss.lost_from, loss.unread, loss.lost_until) == (at(0), 391, at(3610))
    new = status_at(3620, made_s=3610, messages=0, last=0, unread=0).after(seen)
    assert new.taken_until == at(3620), "nothing is in it that was not taken"


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        ({"last": 100, "messages": 0}, LossKind.EMPTIED),
        ({"last": 140, "messages": 40}, LossKind.EMPTIED),
        ({"last": 60, "messages": 60}, LossKind.WENT_BACK),
        ({"last": 240, "messages": 90}, None),
        ({"last": 140, "messages": 100}, None),
    ],
    ids=["empty", "emptied and filled", "an older disk", "the bound took the oldest", "as ever"],
)
def test_streams_that_stand_lost_what_no_bound_took(now: dict[str, int], kind: LossKind | None) -> None:
    found = losses({"DEMANDS": status_at(0)}, {"DEMANDS": status_at(10, **now)})
    assert [loss.kind for loss in found] == ([] if kind is None else [kind])


def test_streams_whose_messages_expired_lost_nothing() -> None:
    before = {"KV_workers": status_at(0, messages=3, max_age_s=15.0)}
    assert losses(before, {"KV_workers": status_at(15, messages=0, max_age_s=15.0)}) == []
    assert len(losses(before, {"KV_workers": status_at(10, messages=0, max_age_s=15.0)})) == 1


def test_streams_of_jobs_empty_themselves() -> None:
    assert losses({"PROBE_JOBS": status_at(0)}, {"PROBE_JOBS": status_at(10, messages=0)}) == []
