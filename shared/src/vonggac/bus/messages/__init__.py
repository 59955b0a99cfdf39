"""What is published: packed where it is much, queued until NATS has stored it, and kept for a while after that."""

from vonggac.bus.messages.kept import KeptMessages
from vonggac.bus.messages.packed import Message
from vonggac.bus.messages.queue import MessageQueue

__all__ = ["KeptMessages", "Message", "MessageQueue"]
