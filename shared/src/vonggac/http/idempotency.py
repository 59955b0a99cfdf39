"""Idempotency-Key as draft-ietf-httpapi-idempotency-key-header has it: a request that is sent again is done once.

The pure part. Whoever keeps the keys does so in the transaction that has the effect, per caller: two callers with one
key have nothing to do with each other.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header

from vonggac.http.problems import FieldError, ProblemError, refuse_fields

GIVEN_UP_AFTER = timedelta(seconds=60)
"""A request still in progress after it died with its process; the key is free again."""
_QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"')
_BARE = re.compile(r"[A-Za-z0-9._:/+=-]{1,255}")
_HEADER = Header(
    alias="Idempotency-Key",
    description="Makes it safe to send the request again: a value of your own, best a random UUID in quotation marks.",
    max_length=600,
    examples=['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to the first of equal requests."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """The record of a key."""

    fingerprint: str
    began_at: datetime
    answer: KeptAnswer | None
    """None while the request is in progress."""


def parse_key(header: Annotated[str | None, _HEADER] = None) -> str | None:
    """Parse the key, None without one; with or without quotation marks. Raises ProblemError 422 when it is none."""
    if header is None:
        return None
    given = header.strip()
    quoted = _QUOTED.fullmatch(given)
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if _BARE.fullmatch(given) is not None:
        return given
    message = "write 1 to 255 printable ASCII characters in quotation marks, best a random UUID"
    raise refuse_fields([FieldError(field="Idempotency-Key", message=message)])


IdempotencyKey = Annotated[str | None, Depends(parse_key)]


def fingerprint_of(method: str, target: str, body: bytes) -> str:
    """Compute what makes two requests equal: method, path with query, and body, byte by byte."""
    digest = sha256()
    for part in (method.upper().encode(), target.encode(), body):
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def decide(kept: KeptRequest | None, fingerprint: str, now: datetime) -> KeptAnswer | None:
    """Decide what to do with a request whose key is on record as `kept`: None: do it; an answer: send that once more.

    Raises ProblemError 422 when the key was used for another request, 409 while the first one is in progress.
    """
    if kept is None:
        return None
    if kept.fingerprint != fingerprint:
        message = "was used for another request; use a new key for a new request, and the same body with the same key"
        problem = refuse_fields([FieldError(field="Idempotency-Key", message=message)])
        problem.problem.code = "idempotency_key_reused"
        raise problem
    if kept.answer is not None:
        return kept.answer
    if now - kept.began_at > GIVEN_UP_AFTER:
        return None
    raise in_progress()


def in_progress() -> ProblemError:
    """Build the 409 of a request that comes while the first one with its key is not answered yet."""
    msg = "the same request is in progress; send it again in a moment to get its answer"
    return ProblemError(HTTPStatus.CONFLICT, "request_in_progress", msg, headers={"Retry-After": "1"})
