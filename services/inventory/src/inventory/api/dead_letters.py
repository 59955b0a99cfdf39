"""/v1/dead-letters: what no retry could save, and its replay."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Response
from nats.errors import Error as NatsError
from pydantic import AwareDatetime, BaseModel, Field

from inventory.api.context import Context, RequestContext
from inventory.storage.conflicts import not_found
from inventory.storage.queries.sight import HIDDEN
from vonggac.auth import guarded_router
from vonggac.bus.dead_letters import DeadLetter, DeadLetters, NotReplayableError
from vonggac.http import ProblemError
from vonggac.http.lists import Key, Listing, PageQuery
from vonggac.http.openapi import problems

router = guarded_router(prefix="/v1/dead-letters", tags=["dead letters"])

_CHARACTERS = 64 * 1024
READ_AT_ONCE = 100


class DeadLetterResponse(BaseModel):
    """One letter. Events hold no credential but sealed ones."""

    sequence: int
    stream: str = Field(description="Where the message stood.")
    durable: str = Field(description="The consumer that could not handle it; `outgoing`: NATS refused the fact.")
    subject: str
    reason: str
    at: AwareDatetime | None
    body: str = Field(
        description="The message, as UTF-8; what is none is shown as `\\x..`. It may hold phones and e-mail addresses: "
        "`***` without the right `read_people`."
    )


LETTERS = Listing[DeadLetter, DeadLetterResponse](
    DeadLetterResponse,
    keys={"sequence": Key(lambda letter: letter.sequence, int)},
    id_key="sequence",
)
type LetterPage = PageQuery[DeadLetter, DeadLetterResponse]


class Replayed(BaseModel):
    """The message that was published again."""

    sequence: int
    subject: str


@asynccontextmanager
async def _letters(context: RequestContext) -> AsyncIterator[DeadLetters]:
    """Open the dead letters. Raises ProblemError 503 while NATS is away."""
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


@router.get("", summary="List dead letters", responses=LETTERS.responses, response_model=None)
async def list_dead_letters(context: Context, page: Annotated[LetterPage, Depends(LETTERS)]) -> Response:
    """List what consumers could not handle and facts NATS refused, with reasons; oldest first."""
    async with _letters(context) as letters:
        found = page.page(await _rows(letters, page))
        total = sum((await letters.counts()).values()) if page.wants_total else None
    people = context.sight.people
    return page.answer(replace(found, total=total), [_to_response(letter, people=people) for letter in found.rows])


async def _rows(letters: DeadLetters, page: LetterPage) -> Sequence[DeadLetter]:
    """One more than the page shows. NATS reads forward alone, so newest first takes all of them."""
    last = page.last[0] if page.last is not None else None
    if not page.orderings[0].descending:
        return await letters.page(after=last or 0, most=page.limit + 1)
    found: list[DeadLetter] = []
    while part := await letters.page(after=found[-1].sequence if found else 0, most=READ_AT_ONCE):
        found += part
    return [letter for letter in reversed(found) if last is None or letter.sequence < last][: page.limit + 1]


@router.post(
    "/{sequence}/replay",
    summary="Publish a dead letter again and take it off the list",
    responses=problems({409: "To publish it again cannot help"}),
)
async def replay_dead_letter(context: Context, sequence: int) -> Replayed:
    """Publish an observation as it was; of a job, its camera's present state. 409 when that cannot help."""
    async with _letters(context) as letters:
        letter = await letters.get(sequence)
        if letter is None:
            raise not_found("dead_letter")
        try:
            return Replayed(sequence=sequence, subject=await letters.replay(letter))
        except NotReplayableError as error:
            raise ProblemError(HTTPStatus.CONFLICT, "not_replayable", str(error)) from None


def _to_response(letter: DeadLetter, *, people: bool) -> DeadLetterResponse:
    body = letter.body[:_CHARACTERS].decode("utf-8", "backslashreplace") if people else HIDDEN
    return DeadLetterResponse(
        sequence=letter.sequence,
        stream=letter.stream,
        durable=letter.durable,
        subject=letter.subject,
        reason=letter.reason,
        at=letter.at,
        body=body,
    )
