"""How a stream or a consumer that stands differs from what is declared, and what NATS cannot change of it."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
    StreamSource,
)

DEDUPLICATION_S = 120.0
STREAM_DEFAULTS: Mapping[str, object] = MappingProxyType(
    {
        "subjects": [],
        "retention": RetentionPolicy.LIMITS,
        "max_consumers": -1,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_age": 0.0,
        "max_msgs_per_subject": -1,
        "max_msg_size": -1,
        "discard": DiscardPolicy.OLD,
        "storage": StorageType.FILE,
        "num_replicas": 1,
        "no_ack": False,
        "duplicate_window": DEDUPLICATION_S,
        "sources": [],
        "deny_delete": False,
        "deny_purge": False,
        "allow_rollup_hdrs": False,
        "allow_direct": False,
        "republish": None,
        "compression": StoreCompression.NONE,
    }
)
"""What a field is at the server when we leave it out: every field that a change could spoil is compared."""
UNCHANGEABLE = frozenset({"storage", "retention", "max_consumers"})
CONSUMER_DEFAULTS: Mapping[str, object] = MappingProxyType(
    {
        "ack_policy": AckPolicy.EXPLICIT,
        "deliver_policy": DeliverPolicy.ALL,
        "ack_wait": 30.0,
        "max_deliver": -1,
        "max_ack_pending": -1,
        "filter_subject": None,
        "filter_subjects": [],
        "backoff": [],
        "headers_only": False,
        "deliver_subject": None,
        "inactive_threshold": 0.0,
    }
)
UNCHANGEABLE_OF_CONSUMERS = frozenset({"ack_policy", "deliver_policy", "deliver_subject"})


class UnchangeableError(ValueError):
    """Something stands otherwise than it should, and NATS cannot change it; the text says what."""


def find_differences[C: (StreamConfig, ConsumerConfig)](
    present: C, wanted: C, defaults: Mapping[str, object]
) -> dict[str, Any]:
    """Find the wanted value of every field that differs."""
    return {
        field: getattr(wanted, field)
        for field, default in defaults.items()
        if _plain(getattr(present, field), default) != _plain(getattr(wanted, field), default)
    }


def _plain(value: object, default: object) -> object:
    """Convert a field's value so that what is left out equals what the server makes of it."""
    if value is None or value == 0 or value == []:
        value = default
    if isinstance(value, list):
        return [item.as_dict() if isinstance(item, StreamSource) else item for item in value]
    return value


def refuse_unchangeable(
    name: str, present: object, changes: Mapping[str, object], unchangeable: frozenset[str]
) -> None:
    """Refuse changes of fields that NATS cannot change. Raises UnchangeableError."""
    if fixed := sorted(changes.keys() & unchangeable):
        differ = ", ".join(
            f"{field} is {_to_plain(getattr(present, field))}, not {_to_plain(changes[field])}" for field in fixed
        )
        msg = f"{name}: {differ}; NATS cannot change that: back it up and remove it, then declare again"
        raise UnchangeableError(msg)


def _to_plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value
