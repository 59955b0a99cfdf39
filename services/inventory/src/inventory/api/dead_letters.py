"""/v1/dead-letters: what no retry could save, and its replay."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, Field

from inventory.api.context import Context, RequestContext
from inventory.storage.conflicts import not_found
from vonggac.bus.dead_letters import DeadLetter, DeadLetters, NotReplayableError
from vonggac.http import ProblemError

router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])

_CHARACTERS = 64 * 1024
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items a page.")]
DEFAULT_LIMIT = 100


class DeadLetterShown(BaseModel):
    """One letter. Events hold no credential but sealed ones."""

    sequence: int
    stream: str = Field(description="Where the message stood.")
    durable: str = Field(description="The consumer that could not handle it; `outgoing`: NATS refused the fact.")
    subject: str
    reason: str
    at: AwareDatetime | None
    body: str = Field(description="The message, as UTF-8; what is none is shown as `\\x..`.")


class DeadLettersShown(BaseModel):
    """Oldest first."""

    items: list[DeadLetterShown]
    next: int | None = Field(description="`after` of the next page; null at the end.")


class Replayed(BaseModel):
    """What was published again."""

    sequence: int
    subject: str


@asynccontextmanager
async def _letters(context: RequestContext) -> AsyncIterator[DeadLetters]:
    """Raises ProblemError 503 while NATS is away."""
    bus = context.services.bus()
    if bus is None or not bus.connected:
        raise _away("not connected")
    try:
        yield DeadLetters(bus)
    except (NatsError, TimeoutError, OSError) as error:
        raise _away(type(error).__name__) from None


def _away(reason: str) -> ProblemError:
    msg = f"NATS does not answer ({reason}); try again shortly"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "bus_unavailable", msg, headers={"Retry-After": "2"})


@router.get("", summary="List dead letters, oldest first")
async def list_dead_letters(
    context: Context,
    after: Annotated[int, Query(ge=0, description="`next` of the page before.")] = 0,
    limit: Limit = DEFAULT_LIMIT,
) -> DeadLettersShown:
    """What a consumer could not handle, and facts that NATS refused, with the reason."""
    async with _letters(context) as letters:
        found = await letters.page(after=after, most=limit)
    shown = [_shown(letter) for letter in found]
    return DeadLettersShown(items=shown, next=shown[-1].sequence if len(shown) == limit else None)


@router.post("/{sequence}/replay", summary="Publish a dead letter again and take it off the list")
async def replay_dead_letter(context: Context, sequence: int) -> Replayed:
    """An observation is published as it was; of a job, the present state of its camera. 409 when that cannot help."""
    async with _letters(context) as letters:
        letter = await letters.get(sequence)
        if letter is None:
            raise not_found("dead_letter")
        try:
            return Replayed(sequence=sequence, subject=await letters.replay(letter))
        except NotReplayableError as error:
            raise ProblemError(HTTPStatus.CONFLICT, "not_replayable", str(error)) from None


def _shown(letter: DeadLetter) -> DeadLetterShown:
    body = letter.body[:_CHARACTERS].decode("utf-8", "backslashreplace")
    return DeadLetterShown(
        sequence=letter.sequence,
        stream=letter.stream,
        durable=letter.durable,
        subject=letter.subject,
        reason=letter.reason,
        at=letter.at,
        body=body,
    )
