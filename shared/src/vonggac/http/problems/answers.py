"""Errors as RFC 9457 problem+json: what is wrong, where, and what would be right."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from pydantic_core import PydanticSerializationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from vonggac.http.problems.known_fields import describe_unknown, find_known_fields
from vonggac.http.problems.translator import OF_LIBRARY, Translator, sentence_of
from vonggac.telemetry.logs import get_logger
from vonggac.telemetry.redaction import redact

log = get_logger(__name__)
CONTENT_TYPE = "application/problem+json"
NO_SUCH_ADDRESS = "there is no such address here: /docs lists those there are"
MOST_ERRORS = 100
"""Shown of what does not fit in one request."""
MOST_OF_A_NAME = 100
"""Characters shown of a field that the caller named: to redact and write a megabyte of it takes a second."""


class FieldError(BaseModel):
    """One mistake in what the caller sent."""

    field: str = Field(description="Where: a field's path, a query parameter, or a column.")
    row: int | None = Field(default=None, description="1-based line of the file the mistake is in, header included.")
    message: str = Field(description="What is wrong and what would be right.")
    message_vi: str | None = Field(default=None, description="The message in Vietnamese, where there is one.")
    value: str | None = Field(default=None, description="What stood in the cell, shortened; never a secret.")
    heading: str | None = Field(default=None, description="The column's heading in the file.")
    sheet: str | None = Field(default=None, description="The sheet of a workbook.")


class Problem(BaseModel):
    """The body of every error answer."""

    type: str = "about:blank"
    title: str
    title_vi: str | None = Field(default=None, description="The title in Vietnamese.")
    status: int
    detail: str | None = None
    detail_vi: str | None = Field(default=None, description="The detail in Vietnamese, where there is one.")
    code: str = Field(description="Stable word for programs.")
    errors: list[FieldError] = []


_SHOWN = 3
"""Fields that a detail repeats."""


class ProblemError(Exception):
    """Raised anywhere below an endpoint; becomes a problem+json answer."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        errors: list[FieldError] | None = None,
        headers: dict[str, str] | None = None,
        detail_vi: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            title=status.phrase,
            status=status.value,
            code=code,
            detail=redact(detail),
            detail_vi=detail_vi,
            errors=errors or [],
        )
        self.headers = headers


class RefusedBodyError(HTTPException):
    """A problem that is found while the body is parsed: the framework lets this kind of error alone pass."""

    def __init__(self, refusal: ProblemError) -> None:
        super().__init__(refusal.problem.status)
        self.refusal = refusal


def refuse_fields(errors: list[FieldError]) -> ProblemError:
    """Build a 422 that names each wrong field or parameter."""
    detail = "; ".join(f"{error.field}: {error.message}" for error in errors[:_SHOWN])
    more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail + more, errors)


def not_found(noun: str, given: object) -> ProblemError:
    """Build a 404 about one thing."""
    return ProblemError(HTTPStatus.NOT_FOUND, "not_found", f"there is no {noun} {given}")


def problem_response(error: ProblemError) -> JSONResponse:
    """Build the answer of an error, for middleware: handlers stand behind it."""
    return _answer(complete(error.problem, OF_LIBRARY), error.headers)


def install_problem_handlers(app: FastAPI, translator: Translator = OF_LIBRARY) -> None:
    """Make every error of `app`, the framework's own included, a problem+json document in both languages."""

    def answer(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
        return _answer(complete(problem, translator), headers)

    @app.exception_handler(ProblemError)
    async def _problem(_request: Request, error: ProblemError) -> JSONResponse:
        return answer(error.problem, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [_field_error(request, item, translator) for item in error.errors()[:MOST_ERRORS]]
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer(
            Problem(
                title=status.phrase,
                status=422,
                code="invalid",
                detail="The request does not fit.",
                errors=errors,
            )
        )

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error, RefusedBodyError):
            return answer(error.refusal.problem, error.refusal.headers)
        status = HTTPStatus(error.status_code)
        code = status.name.lower()
        detail = redact(str(error.detail))
        if status is HTTPStatus.NOT_FOUND and detail == status.phrase:
            detail = NO_SUCH_ADDRESS
        problem = Problem(title=status.phrase, status=status.value, code=code, detail=detail)
        headers = dict(error.headers or {})
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(sorted(_methods_of(request)))
        return answer(problem, headers)

    @app.exception_handler(ClientDisconnect)
    async def _gone(_request: Request, _error: ClientDisconnect) -> JSONResponse:
        # Nobody reads it. What a caller breaks off is no fault of ours, and fills no log.
        return problem_response(ProblemError(HTTPStatus.BAD_REQUEST, "bad_request", "the body did not come whole"))

    @app.exception_handler(UnicodeEncodeError)
    @app.exception_handler(PydanticSerializationError)
    async def _half_a_letter(_request: Request, error: UnicodeEncodeError | PydanticSerializationError) -> JSONResponse:
        if "surrogates not allowed" not in str(error):
            raise error
        # JSON can write it, and no answer, message or row can hold it.
        msg = "a text holds half of a letter (a lone surrogate such as \\ud800): send the whole letter"
        return answer(ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", msg).problem)

    @app.exception_handler(Exception)
    async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        request_id = request.scope.get("vonggac.request_id")
        log.error("request_failed", path=request.url.path, request_id=request_id, exc_info=error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        problem = Problem(title=status.phrase, status=500, code="internal_error", detail="See the service's log.")
        return answer(problem, {"X-Request-Id": request_id} if request_id else None)


def _methods_of(request: Request) -> set[str]:
    """Collect what may be done at an address: each method is a route, and the framework names those of the first."""
    routes = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return {method for route in routes for method in getattr(route, "methods", None) or ()}


def complete(problem: Problem, translator: Translator) -> Problem:
    """`problem` with what its author did not say in Vietnamese."""
    errors = [
        each if each.message_vi else each.model_copy(update={"message_vi": translator.of_field(each.message)})
        for each in problem.errors
    ]
    detail = problem.detail_vi
    if detail is None and errors:
        more = f"; và {len(errors) - _SHOWN} lỗi khác" if len(errors) > _SHOWN else ""
        detail = "; ".join(f"{each.field}: {each.message_vi}" for each in errors[:_SHOWN]) + more
    elif detail is None:
        detail = redact(translator.of_detail(problem.code, problem.detail or ""))
    title = translator.of_status(problem.status)
    return problem.model_copy(update={"title_vi": title, "errors": errors, "detail_vi": detail})


def _field_error(request: Request, item: Any, translator: Translator) -> FieldError:
    location = [str(part) for part in item["loc"]]
    if item["type"] == "json_invalid":
        # Its place is the number of a character, and no field.
        problem = item.get("ctx", {}).get("error", "")
        return FieldError(field="body", message=f"is no JSON at character {location[-1]}: {problem}".rstrip(": "))
    named = location[1:] if len(location) > 1 and location[0] in {"body", "query", "path"} else location
    is_extra = item["type"] == "extra_forbidden" and location[0] == "body"
    if is_extra and (known := find_known_fields(request, named)):
        message = describe_unknown(named[-1][:MOST_OF_A_NAME], known)
        return FieldError(field=name_of(named), message=message, message_vi=translator.of_field(message))
    message = redact(sentence_of(str(item["msg"])))
    vietnamese = translator.of_field(message, str(item["type"]), item.get("ctx") or {})
    return FieldError(field=name_of(named), message=message, message_vi=vietnamese)


def name_of(location: Sequence[str]) -> str:
    """Name a field by its path, which the caller may have made up: redacted, and its beginning alone."""
    field = ".".join(location)
    return redact(field if len(field) <= MOST_OF_A_NAME else f"{field[:MOST_OF_A_NAME]}…")


class _ProblemResponse(JSONResponse):
    """Names what was sent, whatever that was."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return _ProblemResponse(
        problem.model_dump(mode="json"), status_code=problem.status, headers=headers, media_type=CONTENT_TYPE
    )
