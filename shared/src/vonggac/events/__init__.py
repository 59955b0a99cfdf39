"""What the services publish to each other: CloudEvents 1.0, one payload module per producer.

`envelope` is the document; `inventory`, `prober`, `forwarder` and `reporting` hold the payloads of the service of that
name, `registry` lists them all and decodes them, `addresses` says on which subject each belongs, `causes` and
`subjects` are the closed word lists.

The document and the payloads are imported when they are first asked for: they cost half a second of CPU and 30 MiB,
and the processes that decode and unpack foreign bytes need the causes alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from vonggac.events.causes import Cause

if TYPE_CHECKING:
    from vonggac.events.addresses import MisplacedEventError, decode_on
    from vonggac.events.envelope import (
        CloudEvent,
        MalformedEventError,
        NewerTypeError,
        NotUnderstoodError,
        Payload,
        new_event,
        share_field_names,
    )
    from vonggac.events.registry import decode
else:
    _ROOMS = {"decode": "registry", "decode_on": "addresses", "MisplacedEventError": "addresses"}

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(import_module(f"vonggac.events.{_ROOMS.get(name, 'envelope')}"), name)
        globals()[name] = found
        return found


__all__ = [
    "Cause",
    "CloudEvent",
    "MalformedEventError",
    "MisplacedEventError",
    "NewerTypeError",
    "NotUnderstoodError",
    "Payload",
    "decode",
    "decode_on",
    "new_event",
    "share_field_names",
]
