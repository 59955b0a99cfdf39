"""Error answers in the OpenAPI document: problem+json with its schema, for every status that a route can answer."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from vonggac.http.problems import CONTENT_TYPE, Problem

type Operation = dict[str, Any]
type Responses = dict[int | str, dict[str, Any]]

PROBLEM = {"$ref": "#/components/schemas/Problem"}
_UNIVERSAL = {
    422: "A parameter or field is wrong, unknown or given twice; `errors` names each",
    500: "A mistake of this service; its log has the details",
    503: "What the service needs is away or too busy; Retry-After says when to try again",
}
_OF_BODIES = {
    400: "The body cannot be read",
    413: "The body is too large",
    415: "The body is compressed, or of a type that is not taken here",
}
_NAMED = {404: "There is no such record, or none that the caller sees"}
_BY_PATH: Mapping[str, Mapping[int, str]] = {"thing_id": {410: "It was removed"}}
"""Of a register that keeps what was removed."""
_GUARDED = {401: "No valid token", 403: "The token's roles may not do this, or not here"}
_BY_HEADER: Mapping[str, Mapping[int, str]] = {
    "If-Match": {
        412: "It has changed since it was read; the ETag header has the present revision",
        428: "If-Match is missing",
    },
    "Idempotency-Key": {409: "The first request with this key is in progress"},
}
_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}}},
    412: {"ETag": {"description": "The present revision.", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}
_JSON = {"application/json", CONTENT_TYPE}
_CODES = {401: "unauthorized", 412: "stale", 422: "invalid", 428: "if_match_required", 500: "internal_error"}


def problems(descriptions: Mapping[int, str]) -> Responses:
    """`responses` of a route: the problems of its own. Those that every route has are added to the document."""
    return {status: {"model": Problem, "description": text} for status, text in descriptions.items()}


def describe_problems(operation: Operation) -> None:
    """Declare every problem of an operation as problem+json, those that follow from its parameters too."""
    responses = operation["responses"]
    expected = dict(_UNIVERSAL)
    if operation.get("security"):
        expected |= _GUARDED
    if "requestBody" in operation:
        expected |= _OF_BODIES
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "header":
            expected |= _BY_HEADER.get(parameter["name"], {})
        elif parameter["in"] == "path":
            expected |= {**_NAMED, **_BY_PATH.get(parameter["name"], {})}
    declared = {int(status): response for status, response in responses.items() if status.isdigit()}
    for status in sorted(expected.keys() | {status for status in declared if status >= 400}):
        own = declared.get(status, {}).get("description")
        description = own if own and not _is_default(own) else expected.get(status, HTTPStatus(status).phrase)
        files = {
            kind: media for kind, media in declared.get(status, {}).get("content", {}).items() if kind not in _JSON
        }
        responses[str(status)] = _response(status, description, files)
    operation["responses"] = dict(sorted(responses.items()))


def _is_default(description: str) -> bool:
    """Recognise the framework's own word for a 422."""
    return description == "Validation Error"


def _response(status: int, description: str, files: Mapping[str, Any]) -> dict[str, Any]:
    """`files`: other forms that the route has for it."""
    phrase = HTTPStatus(status).phrase
    errors = [{"field": "unti", "row": None, "message": "unknown; known: unit"}] if status == 422 else []
    example = {
        "type": "about:blank",
        "title": phrase,
        "status": status,
        "detail": description,
        "code": _CODES.get(status, HTTPStatus(status).name.lower()),
        "errors": errors,
    }
    response: dict[str, Any] = {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": PROBLEM, "example": example}, **files},
    }
    if status in _HEADERS:
        response["headers"] = dict(_HEADERS[status])
    return response
