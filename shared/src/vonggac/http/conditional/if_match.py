"""If-Match on changes: without it nothing is changed (428), and not when somebody else was faster (412)."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header

from vonggac.http.conditional.etags import etag_of, matches_strongly, parse_etags
from vonggac.http.problems import FieldError, ProblemError, refuse_fields

_HEADER = Header(
    alias="If-Match",
    description="The ETag of the record as you read it; `*` changes whatever is there.",
    max_length=1000,
    examples=['"3"'],
)


class Precondition:
    """What a caller has seen of the record that it changes."""

    def __init__(self, if_match: Annotated[str | None, _HEADER] = None) -> None:
        """Read the header. Raises ProblemError 428 without it, 422 when it is none."""
        if if_match is None:
            msg = "send If-Match with the ETag of the record as you read it, so that nobody's change is lost"
            raise ProblemError(HTTPStatus.PRECONDITION_REQUIRED, "if_match_required", msg)
        try:
            self.tags = parse_etags(if_match)
        except ValueError as error:
            raise refuse_fields([FieldError(field="If-Match", message=str(error))]) from None

    def check(self, revision: int) -> None:
        """Check the record's revision. Raises ProblemError 412 for another one; its ETag header has the present one."""
        present = etag_of(revision)
        if not matches_strongly(self.tags, present):
            msg = f"it has changed since you read it: its revision is {revision}; read it again"
            raise ProblemError(HTTPStatus.PRECONDITION_FAILED, "stale", msg, headers={"ETag": present})


IfMatch = Annotated[Precondition, Depends(Precondition)]
"""Declare it on every route that changes or removes a record; call `check` within the transaction."""
