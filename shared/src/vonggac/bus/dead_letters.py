"""What no retry can save is copied to DEAD_LETTERS with its reason, then taken off its queue; never thrown away.

`DeadLetters` lists them and publishes them again.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NotFoundError

from vonggac.bus.connection import Bus
from vonggac.bus.declared import topology
from vonggac.bus.declared.accounts import covers
from vonggac.bus.declared.permissions import USERS, outgoing_of
from vonggac.bus.keyvalue import WRONG_LAST_SEQUENCE
from vonggac.events import MalformedEventError, NotUnderstoodError, decode_on, subjects
from vonggac.events.envelope import CONTENT_TYPE
from vonggac.telemetry.logs import get_logger

log = get_logger(__name__)

REASON_HEADER = "Vonggac-Reason"
SUBJECT_HEADER = "Vonggac-Subject"
MAX_REASON_CHARACTERS = 500
LAST_SEQUENCE = 2**63 - 1
"""NATS takes a question about a place that no message can have for no question."""


async def dead_letter(bus: Bus, message: Msg, *, stream: str, durable: str, reason: str) -> None:
    """Copy `message` to DEAD_LETTERS, then terminate it.

    Raises NatsError or TimeoutError when the copy cannot be stored; the message then stays where it is.
    """
    safe = " ".join(reason.split())[:MAX_REASON_CHARACTERS].encode("ascii", "replace").decode()
    # The server's own headers (Nats-Stream-Source, Nats-Msg-Id, …) would make it refuse or drop the copy.
    kept = {name: value for name, value in (message.headers or {}).items() if not name.startswith("Nats-")}
    headers = {**kept, REASON_HEADER: safe, SUBJECT_HEADER: message.subject}
    await bus.js.publish(subjects.dead_letter(stream, durable), message.data, headers=headers)
    await message.term()
    log.error("message_dead_lettered", stream=stream, durable=durable, subject=message.subject, reason=safe)


async def dead_letter_or_retry(
    bus: Bus, message: Msg, *, stream: str, durable: str, reason: str, retry_after_s: float
) -> None:
    """As `dead_letter`; when the copy cannot be stored, the message is delivered again after `retry_after_s`."""
    try:
        await dead_letter(bus, message, stream=stream, durable=durable, reason=reason)
    except (TimeoutError, NatsError) as error:
        log.warning("dead_letter_failed", subject=message.subject, error=type(error).__name__)
        try:
            await message.nak(delay=retry_after_s)
        except NatsError as lost:
            # The server delivers it again after the ack wait.
            log.debug("release_failed", subject=message.subject, error=type(lost).__name__)


async def store_unpublished(bus: Bus, subject: str, body: bytes, *, durable: str, reason: str) -> None:
    """Keep a fact that NATS refuses on its own subject. Raises NatsError or TimeoutError when that is refused too."""
    headers = {REASON_HEADER: reason, SUBJECT_HEADER: subject}
    await bus.js.publish(subjects.dead_letter(topology.OBSERVATIONS, durable), body, headers=headers)
    log.error("message_dead_lettered", stream=topology.OBSERVATIONS, durable=durable, subject=subject, reason=reason)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a consumer, or a publisher, could not be rid of."""

    sequence: int
    stream: str
    durable: str
    """Who could not handle it: a consumer of `stream`, or `outgoing_<service>` for a fact that NATS refused."""
    subject: str
    reason: str
    at: datetime | None
    body: bytes


class NotReplayableError(ValueError):
    """The letter cannot be published again; the text says why and what would be right."""


class DeadLetters:
    """Reads and replays. Every method raises NatsError or TimeoutError when NATS is away."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def counts(self) -> dict[tuple[str, str], int]:
        """Count the letters by stream and durable."""
        info = await self._bus.js.stream_info(topology.DEAD_LETTERS, subjects_filter=subjects.DEAD_LETTERS)
        counts: Counter[tuple[str, str]] = Counter()
        for subject, count in (info.state.subjects or {}).items():
            counts[_origin(subject)] += count
        return dict(counts)

    async def page(self, *, after: int = 0, most: int = 100) -> list[DeadLetter]:
        """List the oldest letters after that sequence."""
        letters: list[DeadLetter] = []
        sequence = max(0, after)
        while len(letters) < most and sequence < LAST_SEQUENCE:
            try:
                found = await self._bus.js.get_msg(
                    topology.DEAD_LETTERS, sequence + 1, subjects.DEAD_LETTERS, next=True
                )
            except NotFoundError:
                break
            letter = _letter(found)
            letters.append(letter)
            sequence = letter.sequence
        return letters

    async def present(self) -> AsyncIterator[DeadLetter]:
        """All that there are now, the oldest first; one that comes meanwhile, as of what is replayed and fails again,
        is not among them."""
        last, after = (await self._bus.js.stream_info(topology.DEAD_LETTERS)).state.last_seq, 0
        while after < last and (page := await self.page(after=after)):
            for letter in page:
                if letter.sequence <= last:
                    yield letter
            after = page[-1].sequence

    async def get(self, sequence: int) -> DeadLetter | None:
        """None when there is none of that sequence."""
        if not 0 < sequence <= LAST_SEQUENCE:
            return None
        return next((each for each in await self.page(after=sequence - 1, most=1) if each.sequence == sequence), None)

    async def replay(self, letter: DeadLetter) -> str:
        """Publish it again and take it off the list; returns the subject.

        An observation is published as it was. Of a job or a state of the inventory, the present state of the thing is
        published: the letter's own would take it back. Raises NotReplayableError, also for a fact that the service that
        kept it may not publish.
        """
        if letter.subject.startswith(_OBSERVATION):
            _check_owner(letter)
            subject = subjects.replay(letter.subject)
            await self._publish(subject, letter.body, letter.sequence)
        else:
            subject = subjects.state_behind(letter.subject) or ""
            await self._publish_present_state(subject, letter)
        await self.delete(letter)
        log.info("dead_letter_replayed", sequence=letter.sequence, subject=subject)
        return subject

    async def delete(self, letter: DeadLetter) -> None:
        """Take it off the list."""
        try:
            await self._bus.js.delete_msg(topology.DEAD_LETTERS, letter.sequence)
        except NotFoundError:
            # Somebody else did.
            return

    async def _publish_present_state(self, subject: str, letter: DeadLetter) -> None:
        if not subject:
            msg = f"{letter.subject or 'a letter without a subject'} is neither an observation nor about a thing"
            raise NotReplayableError(msg)
        try:
            state = await self._bus.js.get_last_msg(topology.INVENTORY, subject, direct=True)
        except NotFoundError:
            msg = f"nothing stands at {subject} any more: republish the register (`python -m inventory republish`)"
            raise NotReplayableError(msg) from None
        if state.data == letter.body and _is_nonsense(subject, letter.body):
            msg = (
                f"what stands at {subject} is no event: republish the register (`python -m inventory republish`); if "
                "it does not know that thing, a stranger published it, and nothing is lost with the letter"
            )
            raise NotReplayableError(msg)
        # Not over a newer state that inventory publishes this moment.
        try:
            await self._publish(subject, state.data or b"", letter.sequence, after=state.seq)
        except APIError as error:
            if error.err_code not in WRONG_LAST_SEQUENCE:
                raise
            # That newer state is what the replay is for: it makes the job anew as well.

    async def _publish(self, subject: str, body: bytes, sequence: int, *, after: int | None = None) -> None:
        headers = {"Nats-Msg-Id": f"replay-{sequence}-{uuid4()}", "Content-Type": CONTENT_TYPE}
        if after is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(after)
        await self._bus.js.publish(subject, body, headers=headers)


def _check_owner(letter: DeadLetter) -> None:
    """Check the owner: a service stores letters with any subject, yet replays no fact that it could not publish itself.

    A consumer of OBSERVATIONS took it from there, whoever published it.
    """
    kept_by = (letter.stream, letter.durable)
    if kept_by in _MAY_KEEP_ANY_FACT:
        return
    owner = next((user for user in USERS if kept_by == (topology.OBSERVATIONS, outgoing_of(user.name))), None)
    if owner is None or not any(covers(pattern, letter.subject) for pattern in owner.publish):
        msg = f"{letter.durable} of {letter.stream} has no right to {letter.subject:.200}: nobody replays it"
        raise NotReplayableError(msg)


_OBSERVATION = subjects.OBSERVATIONS.removesuffix(">")
_MAY_KEEP_ANY_FACT = {(each.stream, each.name) for each in topology.CONSUMERS if each.stream == topology.OBSERVATIONS}


def _letter(message: RawStreamMsg) -> DeadLetter:
    stream, durable = _origin(message.subject or "")
    headers = message.headers or {}
    return DeadLetter(
        sequence=message.seq or 0,
        stream=stream,
        durable=durable,
        subject=headers.get(SUBJECT_HEADER, ""),
        reason=headers.get(REASON_HEADER, ""),
        at=message.time,
        body=message.data or b"",
    )


def _origin(subject: str) -> tuple[str, str]:
    _, stream, durable, *_ = (*subject.split("."), "", "")
    return stream, durable


def _is_nonsense(subject: str, body: bytes) -> bool:
    try:
        decode_on(subject, body)
    except NotUnderstoodError:
        return False
    except MalformedEventError:
        return True
    return False
