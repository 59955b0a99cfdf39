"""Errors of the database as problems that name the field."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import psycopg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from vonggac.database import is_away
from vonggac.events.envelope import MAX_EVENT_BYTES
from vonggac.http import FieldError, ProblemError
from vonggac.telemetry import get_logger

log = get_logger(__name__)
FOLDED_CODE = "_folded_code"
"""So ends the name of an index over codes without case and padding."""

_UNIT_CODE = (
    "code",
    "another unit of this level has the code, or one like it, on a day of this period; end the earlier one first",
)
_FIELDS = {
    "ex_operator_assignments_unit_id": (
        "valid_from",
        "the province has another operator on a day of this period; end that assignment by its valid_to",
    ),
    "ex_approval_rules_unit_id": (
        "valid_from",
        "the province has another rule on a day of this period; end that one by its valid_to",
    ),
    "uq_coverages_facility_id_area": ("area", "the facility has a verdict about this area; change that one"),
    "ex_units_code": _UNIT_CODE,
    # Where codes were alike before that was refused (migrations 0014 and 0019).
    "ex_units_same_code": _UNIT_CODE,
    "uq_deliveries_camera_id_destination_id": (
        "destination_id",
        "this camera has a delivery to this destination already",
    ),
    "uq_deliveries_url": (
        "url_template",
        "another delivery publishes to the same address; separate placeholders by '/', and use each template once",
    ),
}


@contextmanager
def database_problems() -> Iterator[None]:
    """Turn database errors into ProblemError: 409 for a conflict, 422 for a value, 503 while it is away."""
    try:
        yield
    except (IntegrityError, psycopg.IntegrityError) as error:
        raise conflict_problem(error) from None
    except (DataError, psycopg.DataError):
        msg = "a value holds a character or a number that cannot be stored, such as NUL"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", msg) from None
    except DBAPIError as error:
        if not is_away(error):
            raise
        raise _unavailable_problem(error.orig) from None
    except (psycopg.OperationalError, PoolTimeoutError) as error:
        raise _unavailable_problem(error) from None


def _unavailable_problem(error: BaseException | None) -> ProblemError:
    if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        return busy()
    log.warning("database_unavailable", error=type(error).__name__)
    msg = "the database does not answer; nothing was changed, try again shortly"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "database_unavailable", msg, headers={"Retry-After": "2"})


def busy() -> ProblemError:
    """Build the 503 of what somebody else's write is in the way of."""
    msg = "another change is running (an import?), perhaps of the same record; try again shortly"
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "busy", msg, headers={"Retry-After": "5"})


def conflict_problem(error: IntegrityError | psycopg.IntegrityError) -> ProblemError:
    """Build a 409 that names the constraint's field."""
    original = error.orig if isinstance(error, IntegrityError) else error
    name = (original.diag.constraint_name or "") if isinstance(original, psycopg.Error) else ""
    if name.startswith("uq_") and name.endswith("_code"):
        noun = name.removeprefix("uq_").removesuffix("_code")
        field, message = "code", code_taken(noun)
    elif name.endswith(FOLDED_CODE):
        field, message = "code", code_alike(None)
    elif name in _FIELDS:
        field, message = _FIELDS[name]
    else:
        field, message = name or "request", "it does not fit what is stored; read the current state and try again"
    return field_conflict(field, message)


def code_alike(other: str | None) -> str:
    """Format the sentence about a code that is almost another record's; None: of one that the caller does not see."""
    shown = other or "another one"
    return f"differs only in case or leading zeros from {shown}, which is on record: choose another, or change that one"


def code_taken(table: str) -> str:
    """Format the sentence about a code that a record of a table has."""
    return f"this code is taken among the {table}; choose another, or change the one that has it"


def reason_missing(what: str) -> str:
    """Format the sentence about a change that an official will be asked about."""
    return f"{what} needs a reason, which stands in the change log and in the reports"


def field_conflict(field: str, message: str) -> ProblemError:
    """Build a 409 about one field."""
    return ProblemError(
        HTTPStatus.CONFLICT, "conflict", f"{field}: {message}", [FieldError(field=field, message=message)]
    )


def too_large(noun: str, named: str, size: int) -> ProblemError:
    """Build the 422 of a record that no message can carry: the other services would never hear of it."""
    msg = (
        f"the {noun.replace('_', ' ')} {named} holds too much: its message would have {size} bytes, more than the "
        f"{MAX_EVENT_BYTES} that one may have; shorten its lists, texts or certificates"
    )
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "too_large", msg)


def not_found(noun: str, detail: str | None = None) -> ProblemError:
    words = noun.replace("_", " ")
    return ProblemError(HTTPStatus.NOT_FOUND, "not_found", detail or f"there is no {words} with this id")


def unknown_reference(field: str, noun: str) -> ProblemError:
    """Build a 422 about an unknown id in the body."""
    return invalid(field, f"there is no {noun.replace('_', ' ')} with this id")


@contextmanager
def refuse_as_422(field: str) -> Iterator[None]:
    """Turn a rule's ValueError into a 422 about `field`."""
    try:
        yield
    except ValueError as error:
        raise invalid(field, str(error)) from None


def invalid(field: str, message: str) -> ProblemError:
    """Build a 422 about one field."""
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid",
        "The request does not fit.",
        [FieldError(field=field, message=message)],
    )
