"""Directives: numbers that are printed in several ways, and the chain 1742 → 1407 → 597."""

import unicodedata
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inventory.domain.mandate.directive import DirectiveFields, chain_of, closes_circle, number_code

LETTER, MINISTRY, COMMITTEE = uuid4(), uuid4(), uuid4()
LINKS: dict[UUID, UUID | None] = {LETTER: MINISTRY, MINISTRY: COMMITTEE, COMMITTEE: None}
BODY = {"number": "1742/UBND-VX", "issuer_id": str(uuid4()), "issued_on": "2021-05-07", "subject": "Kết nối camera"}


@pytest.mark.parametrize(
    "number", ["597/CĐ-BCĐ", "597/CD-BCĐ", "597/cđ-bcđ", " 597 / CĐ – BCĐ", unicodedata.normalize("NFD", "597/CĐ-BCĐ")]
)
def test_one_number_has_one_code_however_it_is_printed(number: str) -> None:
    assert number_code(number, date(2021, 5, 5)) == "597-CD-BCD-2021"


def test_the_same_number_of_another_year_is_another_document() -> None:
    assert number_code("1742/UBND-VX", date(2022, 5, 7)) != number_code("1742/UBND-VX", date(2021, 5, 7))


def test_a_code_is_made_unless_one_is_given() -> None:
    assert DirectiveFields.model_validate(BODY).code == "1742-UBND-VX-2021"
    assert DirectiveFields.model_validate({**BODY, "code": "CV-1742"}).code == "CV-1742"


@given(st.text(max_size=200))
def test_whatever_the_number_the_code_is_a_code_or_the_number_is_refused(number: str) -> None:
    try:
        fields = DirectiveFields.model_validate({**BODY, "number": number})
    except ValidationError:
        return
    assert DirectiveFields.model_validate(fields.model_dump()) == fields


@pytest.mark.parametrize(
    ("given_fields", "says"),
    [
        ({"file_name": "1742.pdf"}, "file_sha256"),
        ({"file_sha256": "0" * 64}, "file_name"),
        ({"file_name": "1742.pdf", "file_sha256": "F" * 64}, "file_sha256"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"number": ""}, "number"),
        ({"issued_on": "07/5/2021"}, "issued_on"),
        ({"valid_from": "2021-05-07", "valid_to": "2021-05-06"}, "valid_to"),
    ],
)
def test_a_directive_that_cannot_be_is_refused(given_fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DirectiveFields.model_validate(BODY | given_fields)


def test_the_chain_leads_from_the_letter_to_the_national_committee() -> None:
    assert list(chain_of(LETTER, LINKS)) == [LETTER, MINISTRY, COMMITTEE]


def test_a_link_that_leads_back_closes_a_circle() -> None:
    assert closes_circle(COMMITTEE, LETTER, LINKS)
    assert closes_circle(LETTER, LETTER, LINKS)
    assert not closes_circle(LETTER, COMMITTEE, LINKS)


def test_a_chain_that_runs_in_a_circle_ends() -> None:
    assert list(chain_of(LETTER, LINKS | {COMMITTEE: LETTER})) == [LETTER, MINISTRY, COMMITTEE]
