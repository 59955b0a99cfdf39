"""The queue towards NATS: messages as they are while few wait, and packed by the block through an outage."""

from collections import deque
from collections.abc import Iterable
from itertools import chain

from vonggac.bus.messages.packed import BLOCK, Block, Message

LOOSE = 1024
"""The newest of a queue, that wait as they are: only those of an outage are packed."""


class MessageQueue:
    """In order. The oldest and the newest are there as they are; of many, those in between are packed."""

    def __init__(self) -> None:
        self._oldest: deque[Message] = deque()
        """Empty only while nothing is packed."""
        self._blocks: deque[Block] = deque()
        self._packed = 0
        self._newest: deque[Message] = deque()

    def __len__(self) -> int:
        return len(self._oldest) + self._packed + len(self._newest)

    @property
    def first(self) -> Message | None:
        """The oldest, which `pop_first` takes; None of an empty queue."""
        oldest = self._oldest or self._newest
        return oldest[0] if oldest else None

    def append(self, message: Message) -> None:
        """Add a message that nobody has tried to publish."""
        self._newest.append(message)
        if len(self._newest) < LOOSE + BLOCK:
            return
        taken = [self._newest.popleft() for _ in range(BLOCK)]
        if not self._oldest:
            self._oldest.extend(taken)
            return
        self._blocks.append(Block.pack(taken))
        self._packed += BLOCK

    def prepend(self, messages: Iterable[Message]) -> None:
        """Add messages, in their order, before all others. They go out at once: none is packed."""
        self._oldest.extendleft(reversed([*messages]))

    def pop_first(self) -> Message:
        """Take the oldest. Raises IndexError when there is none."""
        message = (self._oldest or self._newest).popleft()
        if not self._oldest and self._blocks:
            block = self._blocks.popleft()
            self._packed -= block.count
            self._oldest.extend(block.unpack())
        return message

    def oldest_position(self, otherwise: int) -> int:
        """Find the lowest position of all; `otherwise` of an empty queue."""
        loose = (message.position for part in (self._oldest, self._newest) for message in part)
        return min(chain(loose, (block.oldest_position for block in self._blocks)), default=otherwise)
