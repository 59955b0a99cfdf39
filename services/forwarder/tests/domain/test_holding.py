"""Who holds a camera by the reports."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from forwarder.domain.holding import holds, takes_over
from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState

NOON = datetime(2021, 5, 14, 12, tzinfo=UTC)


def observed(**changes: Any) -> DeliveryObservedV1:
    report = DeliveryObservedV1(
        delivery_id=UUID(int=1),
        camera_id=UUID(int=2),
        destination_id=UUID(int=3),
        camera_revision=1,
        worker_id="forwarder-other",
        held_since=NOON,
        sequence=1,
        observed_at=NOON,
        state=DeliveryState.CONNECTING,
    )
    return report.model_copy(update=changes)


@pytest.mark.parametrize("state", DeliveryState)
def test_every_state_but_the_last_words_means_held(state: DeliveryState) -> None:
    assert holds(observed(state=state)) == (state not in {DeliveryState.RELEASED, DeliveryState.DISABLED})


def test_only_a_later_holder_takes_over() -> None:
    def taken(report: DeliveryObservedV1, since: datetime) -> bool:
        return takes_over(report, worker_id="forwarder-me", held_since=since)

    assert taken(observed(), NOON - timedelta(seconds=1))
    assert not taken(observed(), NOON)
    assert not taken(observed(worker_id="forwarder-me"), NOON - timedelta(seconds=1))
    assert not taken(observed(state=DeliveryState.RELEASED), NOON - timedelta(seconds=1))
