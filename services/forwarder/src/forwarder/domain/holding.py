"""Who holds a camera, by what the workers report."""

from datetime import datetime

from vonggac.events.forwarder import DeliveryObservedV1, DeliveryState

_NOT_HELD = frozenset({DeliveryState.RELEASED, DeliveryState.DISABLED})


def holds(observed: DeliveryObservedV1) -> bool:
    """Whether the worker that reports this holds the camera."""
    return observed.state not in _NOT_HELD


def takes_over(observed: DeliveryObservedV1, *, worker_id: str, held_since: datetime) -> bool:
    """Whether the report says that another worker took the camera after this one did: the later holder wins.

    Two can hold one camera only after one of them was cut off from the bus: its job was given away meanwhile.
    """
    return observed.worker_id != worker_id and holds(observed) and observed.held_since > held_since
