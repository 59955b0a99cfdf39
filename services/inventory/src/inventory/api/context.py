"""What every endpoint uses: the services behind the API, the caller, revisions as ETags."""

import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.devices.addresses import Address, check_networks
from inventory.domain.devices.trust import Trust, check_trust_is_used
from inventory.metrics import Metrics
from inventory.storage.conflicts import not_found, unknown_reference
from inventory.storage.store import Actor, Store, WriteTransaction
from inventory.storage.tables import Thing
from vonggac.auth import Principal, Right, Sealer, require
from vonggac.bus import Bus
from vonggac.http import FieldError, ProblemError
from vonggac.net.allowed_networks import AllowedNetworks

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")

Reader = Annotated[Principal, Depends(require(Right.READ))]
Adder = Annotated[Principal, Depends(require(Right.ADD))]
Changer = Annotated[Principal, Depends(require(Right.CHANGE))]
Remover = Annotated[Principal, Depends(require(Right.REMOVE))]
Importer = Annotated[Principal, Depends(require(Right.IMPORT))]
Exporter = Annotated[Principal, Depends(require(Right.EXPORT))]
Operator = Annotated[Principal, Depends(require(Right.OPERATE))]
SecretWriter = Annotated[Principal, Depends(require(Right.WRITE_SECRET))]


Reason = Annotated[
    str | None,
    Query(max_length=500, description="Why; it stands in the reports beside the time that is no longer counted."),
]


@dataclass(frozen=True, slots=True)
class Services:
    """What the app gives its endpoints."""

    store: Store
    sealer: Sealer
    metrics: Metrics
    import_max_bytes: int
    bus: Callable[[], Bus | None]
    """None until NATS was there for the first time."""
    allowed: AllowedNetworks | None = None


class Shown(BaseModel):
    """The fields of every answer about a thing."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    revision: int = Field(description="Grows with every change; also the ETag.")
    changed_at: AwareDatetime


class RequestContext:
    """One request's view of the services."""

    def __init__(self, request: Request, response: Response) -> None:
        self.request, self.response = request, response
        self.services: Services = request.app.state.services
        given = request.headers.get("x-request-id", "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid4())
        response.headers["X-Request-Id"] = self.request_id

    def read_transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.services.store.read_transaction()

    @asynccontextmanager
    async def write_transaction(
        self, caller: Principal, *, dry_run: bool = False, reason: str | None = None
    ) -> AsyncIterator[WriteTransaction]:
        """A write transaction of the caller, committed at its end."""
        actor = Actor(caller.subject, self.request_id, reason)
        async with self.services.store.write_transaction(actor, dry_run=dry_run) as transaction:
            yield transaction

    def check_if_match(self, thing: Thing) -> None:
        """Honour If-Match (RFC 9110 §13.1.1). Raises ProblemError 412 when the thing has another revision."""
        wanted = self.request.headers.get("if-match")
        if wanted is None or wanted.strip() == "*":
            return
        present = f'"{thing.revision}"'
        if present not in [tag.strip() for tag in wanted.split(",")]:
            msg = f"it has changed since you read it: its revision is {thing.revision}; read it again"
            raise ProblemError(HTTPStatus.PRECONDITION_FAILED, "stale", msg, headers={"ETag": present})

    def parse_address(self, field: str, text: str, parse: Callable[[str], Address]) -> Address:
        """Parse and check the body's address. Raises ProblemError 422 that names `field`."""
        with refuse_as_422(field):
            address = parse(text)
            check_networks(address, self.services.allowed)
            return address

    def answer_with[S: Shown](self, shape: type[S], thing: Thing) -> S:
        """The answer about one thing, with its ETag."""
        self.response.headers["ETag"] = f'"{thing.revision}"'
        return shape.model_validate(thing)

    async def read_thing[S: Shown](self, shape: type[S], kind: type[Thing], thing_id: UUID) -> S:
        """Read one thing. Raises ProblemError 404."""
        async with self.read_transaction() as session:
            thing = await session.get(kind, thing_id)
        if thing is None:
            raise not_found(kind.noun)
        return self.answer_with(shape, thing)


Context = Annotated[RequestContext, Depends(RequestContext)]


def merged[M: BaseModel](model: type[M], thing: Thing, patch: Mapping[str, Any]) -> M:
    """The thing's fields with `patch` over them, checked as a whole. Raises RequestValidationError."""
    present = {name: getattr(thing, name) for name in model.model_fields if hasattr(thing, name)}
    return validated(model, {**present, **patch})


def validated[M: BaseModel](model: type[M], values: Mapping[str, Any]) -> M:
    """`values` as a model. Raises RequestValidationError."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_context=False)) from None


def invalid(field: str, message: str) -> ProblemError:
    """A 422 about one field."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        "The request does not fit.",
        [FieldError(field=field, message=message)],
    )


@contextmanager
def refuse_as_422(field: str) -> Iterator[None]:
    """Turn a rule's ValueError into a 422 about `field`."""
    try:
        yield
    except ValueError as error:
        raise invalid(field, str(error)) from None


def check_trust(trust: Trust | None, *urls: str | None) -> None:
    """Raises ProblemError 422 when trust is stated for addresses without TLS."""
    with refuse_as_422("tls"):
        check_trust_is_used(trust, urls)


async def must_exist(transaction: WriteTransaction, field: str, kind: type[Thing], thing_id: UUID) -> None:
    """Raises ProblemError 422 when the body names a thing that does not exist."""
    if await transaction.session.get(kind, thing_id) is None:
        raise unknown_reference(field, kind.noun)
