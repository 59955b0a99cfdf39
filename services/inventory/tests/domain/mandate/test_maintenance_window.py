"""Maintenance windows: agreed beforehand, cut short at most."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from inventory.domain.mandate.maintenance_window import MaintenanceWindowFields, Span, cancelled, refusal

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAMERA = uuid4()


def span(start: float, end: float) -> Span:
    return Span(CAMERA, NOW + start * HOUR, NOW + end * HOUR)


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        (None, span(1, 2), None),
        (None, span(0, 2), None),
        (None, span(-1, 2), None),
        (span(1, 2), span(3, 9), None),
        (span(1, 2), span(0, 2), "starts_at"),
        (span(-1, 2), span(-1, 1), None),
        (span(-1, 2), span(-1, 0), None),
        (span(-1, 2), span(-1, 3), "ends_at"),
        (span(-1, 2), span(-1, -0.5), "ends_at"),
        (span(-1, 2), span(1, 2), "starts_at"),
        (span(-1, 2), span(-1, 2)._replace(subject_id=uuid4()), "starts_at"),
        (span(-2, -1), span(-2, -1.5), "ends_at"),
        (span(-2, 0), span(-2, -1), "ends_at"),
        (span(1, 2)._replace(cancelled_at=NOW), span(1, 2), "starts_at"),
    ],
)
def test_what_has_begun_is_a_fact(before: Span | None, after: Span, field: str | None) -> None:
    refused = refusal(before, after, NOW)
    assert (None if refused is None else refused[0]) == field


def test_a_cancelled_window_is_cut_at_that_moment_or_to_nothing() -> None:
    assert cancelled(span(-1, 2), NOW) == Span(CAMERA, NOW - HOUR, NOW, NOW)
    assert cancelled(span(1, 2), NOW) == Span(CAMERA, NOW + HOUR, NOW + HOUR, NOW)


def test_what_is_over_or_cancelled_is_not_cancelled_again() -> None:
    assert cancelled(span(-2, 0), NOW) is None
    assert cancelled(span(1, 2)._replace(cancelled_at=NOW - HOUR), NOW) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"camera_id": None}, "must be given"),
        ({"facility_id": str(uuid4())}, "not both"),
        ({"ends_at": "2026-11-27T01:00:00Z"}, "later than starts_at"),
        ({"starts_at": "2026-11-27T01:00:00"}, "starts_at"),
        ({"purpose": " "}, "purpose"),
    ],
)
def test_a_window_that_cannot_be_is_refused(given: dict[str, Any], says: str) -> None:
    body: dict[str, Any] = {"camera_id": str(CAMERA), "starts_at": "2026-11-27T01:00:00Z", "purpose": "thay nguồn"}
    with pytest.raises(ValidationError, match=says):
        MaintenanceWindowFields.model_validate(body | {"ends_at": "2026-11-27T03:00:00Z"} | given)
