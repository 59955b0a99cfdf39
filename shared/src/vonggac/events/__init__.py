"""What the services publish to each other: CloudEvents 1.0, one payload module per producer.

`envelope` is the document; `inventory`, `prober`, `forwarder` and `reporting` hold the payloads of the service of that
name, `registry` lists them all and decodes them, `causes` and `subjects` are the closed word lists.
"""

from vonggac.events.causes import Cause
from vonggac.events.envelope import (
    CloudEvent,
    MalformedEventError,
    NewerTypeError,
    NotUnderstoodError,
    Payload,
    new_event,
)
from vonggac.events.registry import decode

__all__ = [
    "Cause",
    "CloudEvent",
    "MalformedEventError",
    "NewerTypeError",
    "NotUnderstoodError",
    "Payload",
    "decode",
    "new_event",
]
