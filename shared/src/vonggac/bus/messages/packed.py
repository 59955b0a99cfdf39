"""A message that is published, and a block of them where many wait or are kept.

What a block holds differs by little, so that an event takes a tenth to a quarter of its size.
"""

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

BLOCK = 64
"""Messages packed together, in a millisecond at most."""
LARGE_BYTES = 4096
"""A larger body, such as a thumbnail, is kept as it is: packing it costs more CPU than it is worth."""
_ROWS = struct.Struct(">I")
"""Before what a block packs: bytes of its rows, behind which the bodies are."""


@dataclass(slots=True)
class Message:
    """A published message: an event, which has an id; without one: the value of a key in a bucket, or a live one."""

    subject: str
    body: bytes
    message_id: str | None
    content_type: str
    removes: bool = False
    live: bool = False
    """For whoever listens now: no stream stores it."""
    position: int = 0
    """In the order of being queued; 0 for one that is published again."""
    tries: int = field(default=0, compare=False)
    since_s: float = field(default=0.0, compare=False)
    """Since when it waits, or is kept, by the clock of its queue."""

    def unqueued(self, since_s: float) -> "Message":
        """Copy the message as it was before it was queued, kept since then."""
        return Message(self.subject, self.body, self.message_id, self.content_type, self.removes, since_s=since_s)


@dataclass(frozen=True, slots=True)
class Block:
    """Messages that nobody has tried to publish yet, or that are stored; packed."""

    count: int
    oldest_position: int
    newest_s: float
    """The last one's `since_s`."""
    _packed: bytes
    _large: tuple[bytes, ...]

    @classmethod
    def pack(cls, messages: Sequence[Message]) -> "Block":
        """Pack at least one message, in their order."""
        small, large, rows = list[bytes](), list[bytes](), list[tuple[object, ...]]()
        for one in messages:
            is_large = len(one.body) > LARGE_BYTES
            (large if is_large else small).append(one.body)
            size = None if is_large else len(one.body)
            rows.append(
                (size, one.subject, one.message_id, one.content_type, one.removes, one.live, one.position, one.since_s)
            )
        text = json.dumps(rows).encode()
        packed = zlib.compress(b"".join((_ROWS.pack(len(text)), text, *small)), 1)
        oldest = min(one.position for one in messages)
        return cls(len(messages), oldest, messages[-1].since_s, packed, tuple(large))

    def unpack(self) -> list[Message]:
        """Restore the messages, in their order."""
        data = zlib.decompress(self._packed)
        at = _ROWS.size + _ROWS.unpack_from(data)[0]
        large, messages = iter(self._large), list[Message]()
        for size, subject, message_id, content_type, removes, live, position, since_s in json.loads(
            data[_ROWS.size : at]
        ):
            if size is None:
                body = next(large)
            else:
                body, at = data[at : at + size], at + size
            messages.append(Message(subject, body, message_id, content_type, removes, live, position, since_s=since_s))
        return messages
