"""JSON bodies say each field once: of two the parser keeps the last, and who sent both meant one of them.

An object of more fields than anybody has is refused unread: to name a hundred thousand of them takes a tenth of a
second, in which nobody else is answered.
"""

import json
from collections import Counter
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from vonggac.http.problems import MOST_ERRORS, FieldError, ProblemError, RefusedBodyError, refuse_fields
from vonggac.telemetry.redaction import redact

SHOWN_CHARACTERS = 64
MOST_FIELDS = 10_000
"""Of one object; the widest form has some thousands."""


class JsonRoute(APIRoute):
    """A route whose body is read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the framework's, with a request that reads JSON as `_StrictRequest` does."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        """Parse the body once. Raises RefusedBodyError that names every field that an object has twice."""
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body())
        return self._json


def parse_json(body: bytes) -> Any:
    """Parse it. Raises RefusedBodyError, also of too many fields or levels; JSONDecodeError for what is none."""
    repeated: dict[str, int] = {}

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(pairs) > MOST_FIELDS:
            msg = f"an object of the body has {len(pairs)} fields, and at most {MOST_FIELDS} are taken"
            raise RefusedBodyError(ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", msg))
        fields = dict(pairs)
        if len(fields) < len(pairs):
            counted = Counter(name for name, _ in pairs)
            repeated.update((name, times) for name, times in counted.items() if times > 1)
        return fields

    try:
        document = json.loads(body, object_pairs_hook=made)
    except RecursionError:
        msg = "the body has lists or objects within each other, more than can be read: give at most some hundred levels"
        raise RefusedBodyError(ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", msg)) from None
    if repeated:
        raise RefusedBodyError(refuse_fields([_twice(*each) for each in list(repeated.items())[:MOST_ERRORS]]))
    return document


def _twice(name: str, times: int) -> FieldError:
    return FieldError(
        field=redact(name[:SHOWN_CHARACTERS]), message=f"is given {times} times in one object: give it once"
    )
