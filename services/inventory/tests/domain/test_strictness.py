"""Bodies are taken as they are meant: no number for a yes or a day, no invisible sign, no year that overflows."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from pydantic import AwareDatetime, Field, ValidationError

from inventory.api.nouns.models import models_of
from inventory.domain.devices.trust import Trust
from inventory.domain.fields import Dated, Fields, Name
from inventory.domain.text import clean
from inventory.nouns.registry import noun_named


class Inner(Fields):
    on: bool = True


class Body(Dated):
    enabled: bool = True
    count: Annotated[int, Field(ge=0)] = 0
    share: float | None = None
    at: AwareDatetime | None = None
    thing_id: UUID | None = None
    kind: Literal["a", "b"] = "a"
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    "body",
    [{"enabled": 0}, {"enabled": 1}, {"enabled": "true"}, {"enabled": "yes"}, {"count": "5"}, {"count": 5.0},
     {"count": True}, {"share": "0.5"}, {"share": True}, {"at": 0}, {"at": 0.5}, {"at": "0"}, {"at": "1e9"},
     {"valid_from": 0}, {"valid_from": "0"}, {"valid_to": 1620345600}, {"inner": {"on": 1}}, {"many": [{"on": "no"}]},
     {"at": "0001-01-01T00:00:00+14:00"}, {"at": "9999-12-31T23:59:59-14:00"}, {"valid_from": "0001-01-01"}],
)  # fmt: skip
def test_what_is_meant_otherwise_is_refused_and_named(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate(body)
    assert {error["loc"][0] for error in refused.value.errors()} == set(body)


def test_what_json_can_say_and_what_code_has_are_taken() -> None:
    thing_id = uuid4()
    said = Body.model_validate(
        {
            "enabled": False,
            "count": 5,
            "share": 1,
            "at": "2026-11-24T07:00:00+07:00",
            "valid_from": "2026-11-24",
            "thing_id": str(thing_id),
            "kind": "b",
            "inner": {"on": False},
        }
    )
    assert (said.enabled, said.count, said.share, said.valid_from, said.thing_id, said.kind) == (
        False,
        5,
        1.0,
        date(2026, 11, 24),
        thing_id,
        "b",
    )
    assert said.at == datetime(2026, 11, 24, tzinfo=UTC)
    assert Body(at=datetime(2026, 11, 24, tzinfo=UTC), valid_from=date(2026, 11, 24)).valid_from == said.valid_from


def test_a_plain_day_is_the_first_instant_of_it_in_the_province() -> None:
    assert Body.model_validate({"at": "2021-05-08"}).at == datetime(2021, 5, 7, 17, tzinfo=UTC)
    assert Body.model_validate_json('{"at": "2021-05-08"}').at == datetime(2021, 5, 7, 17, tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["2021-02-30", "2021-5-8", "20210508", "1850-01-01", "2021-05-08T10:00:00"])
def test_what_is_neither_a_day_nor_an_instant_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Body.model_validate({"at": wrong})


def test_a_patch_is_as_strict_as_what_it_changes() -> None:
    patch = models_of(noun_named("camera")).patch
    for body in ({"enabled": 0}, {"probe_interval_s": "20"}, {"valid_from": 0}):
        with pytest.raises(ValidationError):
            patch.model_validate(body)
    assert patch.model_validate({"enabled": False}).model_fields_set == {"enabled"}


def test_the_schema_of_a_body_is_what_it_was() -> None:
    properties = Body.model_json_schema()["properties"]
    assert properties["enabled"] == {"default": True, "title": "Enabled", "type": "boolean"}
    assert properties["valid_from"]["anyOf"][0] == {"format": "date", "type": "string"}


class Named(Fields):
    name: Name


@pytest.mark.parametrize(
    "sign",
    ["\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u2066", "\u200f", "\U000e0041", "\ufe0f", "\u3164", "\u00ad"],
)
@pytest.mark.parametrize("text", ["{}", "Cổng {}chính", "{}Kho", "Kho{}"])
def test_a_sign_that_nobody_sees_is_refused_with_its_number(sign: str, text: str) -> None:
    with pytest.raises(ValidationError, match=rf"U\+{ord(sign):04X}|TCVN3"):
        Named(name=text.format(sign))


@pytest.mark.parametrize("text", ["Khu cách ly Lao Bảo – cổng 1", "Trạm «Đông Hà» (số 2) №7 10 m²", "Nhà ngói… ½"])
def test_what_people_write_is_taken(text: str) -> None:
    assert clean(text) == text


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    with pytest.raises(ValueError, match="damaged"):
        clean("a\ud800b")


@pytest.mark.parametrize("pem", ["chứng thư", "-----BEGIN CERTIFICATE-----\nđ\n-----END CERTIFICATE-----", "", "\0"])
def test_a_pem_that_is_no_certificate_is_refused_whatever_its_letters(pem: str) -> None:
    with pytest.raises(ValidationError, match="no readable certificate"):
        Trust(ca_pem=pem)
