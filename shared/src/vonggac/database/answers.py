"""What a service answers while PostgreSQL is away: 503, and when to try again."""

from http import HTTPStatus

import psycopg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from vonggac.database.engine import is_away
from vonggac.http.problems import ProblemError, problem_response
from vonggac.telemetry import get_logger

log = get_logger(__name__)


def answer_while_away(app: FastAPI) -> None:
    """Of a service that only reads for its callers; an error that is a mistake of ours stays one."""

    @app.exception_handler(DBAPIError)
    @app.exception_handler(PoolTimeoutError)
    @app.exception_handler(psycopg.OperationalError)
    async def _unavailable(_request: Request, error: Exception) -> JSONResponse:
        if not is_away(error) and not isinstance(error, psycopg.OperationalError):
            raise error
        log.warning("database_unavailable", error=type(error).__name__)
        msg = "the database does not answer, try again shortly"
        headers = {"Retry-After": "2"}
        return problem_response(
            ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "database_unavailable", msg, headers=headers)
        )
