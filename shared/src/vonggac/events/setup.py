"""What the owner of the streams publishes: that one was gone or emptied, and what was lost with it."""

from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime, Field

from vonggac.events.envelope import Payload


class LossKind(StrEnum):
    """`gone`: it did not stand, or was made anew. `emptied`: what it held is gone. `went_back`: an older disk."""

    GONE = "gone"
    EMPTIED = "emptied"
    WENT_BACK = "went_back"


class Refill(StrEnum):
    """What fills it anew. `kept_facts`: what was published in the last three minutes. `values`: each key's next one."""

    REGISTER = "register"
    JOBS = "jobs"
    KEPT_FACTS = "kept_facts"
    VALUES = "values"
    MESSAGES_OF_STREAM = "messages_of_stream"
    NOTHING = "nothing"


class StreamLostV1(Payload):
    """A stream, a bucket (`KV_…`) or a consumer was gone or emptied, and stands again."""

    event_type: ClassVar[str] = "vn.vonggac.setup.stream_lost.v1"
    stream: str
    consumer: str | None = Field(default=None, description="A durable consumer of it; the stream itself stood.")
    kind: LossKind
    lost_from: AwareDatetime = Field(
        description="What was stored since may be lost: all before was taken by reporting, or was seen to stand."
    )
    lost_until: AwareDatetime = Field(description="When it stood again, by the server's clock.")
    seen_at: AwareDatetime = Field(description="When it was last seen whole.")
    messages: int | None = Field(default=None, ge=0, description="So many it held when it was last seen.")
    unread: int | None = Field(default=None, ge=0, description="So many of them reporting had not taken by then.")
    filled_with: Refill
