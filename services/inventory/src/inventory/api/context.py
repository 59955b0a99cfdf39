"""What every endpoint uses: the services behind the API, the caller, and the transaction of a write."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, StringConstraints, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.api.files.waiting import ImportQueue
from inventory.domain.places.retention import DEFAULT_RETENTION, Retention
from inventory.domain.text import LOGIN_ADVICE, clean, holds_login
from inventory.metrics import Metrics
from inventory.nouns.writer import Write
from inventory.storage.change_log import actor_of
from inventory.storage.conflicts import invalid
from inventory.storage.idempotency import find_answer, keep_answer
from inventory.storage.queries.lists import Recorded
from inventory.storage.queries.sight import select_visible
from inventory.storage.store import Store, WriteTransaction
from vonggac.auth import Caller, Principal, Sealer, Sight
from vonggac.auth.scope import EVERYTHING
from vonggac.bus import Bus
from vonggac.http.idempotency import IdempotencyKey, KeptAnswer, fingerprint_of
from vonggac.http.metrics.requests import REQUEST_ID
from vonggac.net.allowed_networks import AllowedNetworks
from vonggac.telemetry import redact

AHEAD = timedelta(seconds=1)
"""A caller's clock may be so much ahead of ours."""


def _without_login(text: str) -> str:
    if holds_login(text):
        raise ValueError(LOGIN_ADVICE)
    return text


type ReasonText = Annotated[
    str, AfterValidator(clean), AfterValidator(_without_login), StringConstraints(min_length=1, max_length=500)
]
Reason = Annotated[
    ReasonText | None,
    Query(description="Why; it stands in the change log, and in the reports beside the time that is not counted."),
]
ReasonNeeded = Annotated[ReasonText | None, Query(description="Why; nothing is removed without a reason.")]


@dataclass(frozen=True, slots=True)
class Services:
    """What the app gives its endpoints."""

    store: Store
    sealer: Sealer
    metrics: Metrics
    import_max_bytes: int
    imports: ImportQueue
    bus: Callable[[], Bus | None]
    """None until NATS was there for the first time."""
    allowed: AllowedNetworks | None = None
    retention: Retention = DEFAULT_RETENTION
    link_page: str = ""
    """Address of the page that facilities open by their links; empty: a QR code holds the token alone."""
    served_addresses: tuple[str, ...] = ()
    """Where centres that pull reach the forwarders."""


class RequestContext:
    """One request's view of the services."""

    def __init__(self, request: Request, response: Response, caller: Caller) -> None:
        self.request, self.response, self.caller = request, response, caller
        self.key: str | None = None
        self.services: Services = request.app.state.services
        self.request_id: str = request.scope[REQUEST_ID]

    @property
    def sight(self) -> Sight:
        """What the caller sees."""
        return self.caller.sight

    def read_transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.services.store.read_transaction(self.sight)

    def recorded(self, as_of: datetime | None, valid_on: date | None = None) -> Recorded:
        """Read what the caller sees at `as_of`, by kind. Raises ProblemError 422 for an instant to come."""
        now = self.services.store.now()
        if as_of is not None and as_of > now + AHEAD:
            raise invalid("as_of", f"is an instant to come; it is {now.isoformat()} now")
        is_whole = as_of is None and self.sight == EVERYTHING
        return Recorded(partial(select_visible, as_of=as_of, sight=self.sight), as_of, valid_on, is_whole)

    @asynccontextmanager
    async def write_transaction(
        self, caller: Principal, *, dry_run: bool = False, reason: str | None = None
    ) -> AsyncIterator[WriteTransaction]:
        """Open a write transaction of the caller; it is committed at its end."""
        actor = actor_of(caller, self.request_id, reason)
        async with self.services.store.write_transaction(actor, dry_run=dry_run) as transaction:
            yield transaction

    async def write[T](
        self,
        caller: Principal,
        work: Callable[[Write], Awaitable[T]],
        answer: Callable[[AsyncSession, T], Awaitable[KeptAnswer]],
        *,
        reason: str | None = None,
    ) -> Response:
        """Do `work` in one transaction and answer with what is on record after it.

        With an Idempotency-Key the answer is kept in the same transaction, and a repetition gets it again.
        """
        fingerprint = await self._fingerprint() if self.key is not None else ""
        with refusals():
            async with self.write_transaction(caller, reason=reason) as transaction:
                kept = await find_answer(transaction, self.key, fingerprint)
                if kept is None:
                    result = await work(self._write_of(transaction, caller))
                    await transaction.finish()
                    kept = await answer(transaction.session, result)
                    await keep_answer(transaction, self.key, fingerprint, kept)
        return Response(kept.body, kept.status, kept.headers, "application/json" if kept.body else None)

    def _write_of(self, transaction: WriteTransaction, caller: Principal) -> Write:
        services = self.services
        return Write(transaction, caller, services.sealer, services.allowed, services.retention)

    async def _fingerprint(self) -> str:
        """Of the request without credentials: what can be tried out at leisure must not be kept."""
        body = redact((await self.request.body()).decode("utf-8", "surrogateescape"))
        return self.fingerprint_of(body.encode("utf-8", "surrogateescape"))

    def fingerprint_of(self, body: bytes) -> str:
        """Of the request with this body; an answer is kept for those who see as much."""
        url = self.request.url
        asked = f"{url.path}?{url.query} {self.sight if self.sight != EVERYTHING else ''}".rstrip()
        return fingerprint_of(self.request.method, asked, body)


class RepeatableContext(RequestContext):
    """Of a request whose write is done once, however often it is sent with one Idempotency-Key."""

    def __init__(self, request: Request, response: Response, caller: Caller, key: IdempotencyKey = None) -> None:
        super().__init__(request, response, caller)
        self.key = key


Context = Annotated[RequestContext, Depends(RequestContext)]
WriteContext = Annotated[RepeatableContext, Depends(RepeatableContext)]


class refusals:  # noqa: N801 # used as a statement, as contextlib's own
    """Turns the errors of rules into answers 422."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ValidationError):
            raise RequestValidationError(error.errors(include_input=False)) from None
