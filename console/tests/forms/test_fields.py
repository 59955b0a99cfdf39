"""From a schema to fields, from what was typed to a body and back; the declaration against the services' documents."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from console.acts.contracts import Contract, read_contract
from console.acts.declared import OTHERS, act_of, service_of
from console.acts.fields import Field, Kind, choose, fields_of
from console.acts.inputs import changed_fields, write_record
from console.acts.nouns import NOUNS, REFERRED
from console.acts.permitted import PATHS, may_act, may_call
from console.acts.reading import NEEDED, NOT_FOUND, WRITE_NUMBER, count_rows, read_body, references
from console.acts.sent_forms import read_sent
from console.forms.files import router as files
from console.forms.records import choose_columns
from console.forms.sending import find_input
from vonggac.auth.rights import Principal, Role

ROOT = Path(__file__).parents[3]
SERVICES = ("inventory", "reporting")


def contract_of(service: str) -> Contract:
    document = ROOT / "services" / service / "src" / service / "api" / "openapi.json"
    return read_contract(service, json.loads(document.read_text("utf-8")))


CONTRACTS = {service: contract_of(service) for service in SERVICES}


def form_of(operation: str) -> list[Field]:
    contract = CONTRACTS[service_of(operation)]
    return fields_of(contract.operations[operation].body, contract.schemas, REFERRED)


@pytest.mark.parametrize("operation", sorted(OTHERS))
def test_every_declared_act_is_an_operation_and_asks_for_fields_that_it_has(operation: str) -> None:
    known = CONTRACTS[service_of(operation)].operations[operation]
    names = {each.name for each in form_of(operation)}
    act = OTHERS[operation]
    assert set(act.fields) <= names
    assert set(act.asks) <= set(known.parameters)
    for variant in act.variants.values():
        assert set(variant.fields) <= names


@pytest.mark.parametrize("operation", sorted(PATHS))
def test_every_act_that_pages_offer_is_where_its_service_has_it(operation: str) -> None:
    known = CONTRACTS[service_of(operation)].operations[operation]
    assert (known.method, known.path) == PATHS[operation]
    assert act_of(known) is not None


@pytest.mark.parametrize("noun", sorted(NOUNS))
def test_every_noun_has_its_form(noun: str) -> None:
    operation = CONTRACTS["inventory"].operations[f"add_{NOUNS[noun].operation}"]
    assert operation.path == f"/v1/{noun}"
    act = act_of(operation)
    assert act is not None
    assert {each.kind for each in form_of(operation.name)} - {Kind.JSON}


def test_no_noun_of_the_register_is_missing() -> None:
    operations = CONTRACTS["inventory"].operations.values()
    found = {each.path.split("/")[2] for each in operations if each.path.endswith("/bulk")}
    assert found <= set(NOUNS)


def test_kinds_follow_the_schema() -> None:
    kinds = {each.name: each.kind for each in form_of("add_obligation")}
    assert kinds["directive_id"] is Kind.REFERENCE
    assert kinds["facility_ids"] is Kind.REFERENCES
    assert kinds["kind"] is Kind.CHOICE
    assert kinds["due_before"] is Kind.INSTANT
    assert kinds["valid_from"] is Kind.DATE
    assert kinds["with_cameras"] is Kind.YES_NO
    assert kinds["every_days"] is Kind.WHOLE
    freeze = {each.name: each.kind for each in form_of("freeze_report")}
    assert freeze["letterhead"] is Kind.GROUP
    assert freeze["proposals"] is Kind.LINES


def test_what_is_needed_is_asked_for_before_what_may_stay_empty() -> None:
    asked = [each.required for each in choose(form_of("add_survey"), ())]
    assert True in asked
    assert asked == sorted(asked, reverse=True)
    declared = OTHERS["freeze_report"].fields
    assert [each.name for each in choose(form_of("freeze_report"), declared)] == [*declared]


def test_a_list_shows_nothing_of_the_head_of_a_row_a_second_time() -> None:
    row = {"code": "KCL-01", "name": "Khu cách ly", "type": "health", "status": "active", "address": "QL9"}
    shown = [each.name for each in choose_columns(form_of("add_facility"), [row])]
    assert "type" in shown
    assert not {"code", "name", "status"} & set(shown)


def test_labels_are_vietnamese_as_the_service_has_them() -> None:
    fields = {each.name: each for each in form_of("add_facility")}
    assert fields["managing_agency_id"].vietnamese != ""
    assert all(not choice.vietnamese.isascii() or choice.vietnamese for choice in fields["type"].choices)


def test_what_was_typed_becomes_what_the_service_takes() -> None:
    typed = {
        "code": [" N-01 "],
        "name": ["Kết nối"],
        "kind": ["connection"],
        "directive_id": ["1742 — Công văn"],
        "responsible_agency_id": ["SYT"],
        "due_before": ["10/05/2021 00:00"],
        "valid_from": ["7/5/2021"],
        "every_days": ["1.0"],
        "with_cameras": ["true"],
        "facility_ids": ["K1, K2"],
        "note": [""],
    }
    ids = {("directives", "1742"): "d", ("agencies", "SYT"): "a", ("facilities", "K1"): "1", ("facilities", "K2"): "2"}
    fields = form_of("add_obligation")
    assert set(references(fields, typed)) == set(ids)
    body, mistakes = read_body(fields, typed, ids)
    assert mistakes == []
    assert body == {
        "code": "N-01",
        "name": "Kết nối",
        "kind": "connection",
        "directive_id": "d",
        "responsible_agency_id": "a",
        "due_before": "2021-05-10T00:00:00+07:00",
        "valid_from": "2021-05-07",
        "every_days": 10,
        "with_cameras": True,
        "facility_ids": ["1", "2"],
    }


def test_each_mistake_names_its_input() -> None:
    typed = {"code": ["N"], "kind": ["connection"], "directive_id": ["?"], "every_days": ["x"]}
    _, mistakes = read_body(form_of("add_obligation"), typed, {})
    found = {each.name: each.text for each in mistakes}
    assert found["directive_id"] == NOT_FOUND
    assert found["every_days"] == WRITE_NUMBER
    assert found["name"] == NEEDED


def test_a_record_that_was_not_touched_is_not_changed() -> None:
    fields = form_of("change_obligation")
    record: dict[str, Any] = {
        "code": "N",
        "due_before": "2021-05-09T17:00:00Z",
        "facility_ids": ["1", "2"],
        "with_cameras": False,
    }
    before = write_record(fields, record, {"1": "K1", "2": "K2"})
    sent = {name: [each.replace("\n", "\r\n") for each in values] for name, values in before.items()}
    assert changed_fields(fields, before, sent) == []
    assert [each.name for each in changed_fields(fields, before, {**sent, "code": ["M"]})] == ["code"]


def test_rows_that_are_left_empty_are_none() -> None:
    fields = form_of("add_survey")
    rows = next(each for each in fields if each.kind is Kind.ROWS)
    name = rows.fields[0].name
    typed = {f"{rows.name}.0.{name}": ["x"], f"{rows.name}.1.{name}": [""]}
    body, _ = read_body([rows], typed, {})
    assert len(body.get(rows.name, [{}])) == 1


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("code", "code"),
        ("body.letterhead.addressees.0", "letterhead.addressees"),
        ("participants[1].agency_id", "participants.1.agency_id"),
        ("letterhead", "letterhead.addressees"),
        ("If-Match", None),
    ],
)
def test_what_a_service_says_of_a_field_stands_at_its_input(said: str, found: str | None) -> None:
    assert find_input(said, ["code", "letterhead.addressees", "participants.1.agency_id"]) == found


@pytest.mark.parametrize("role", list(Role))
def test_pages_offer_what_the_policy_lets_a_role_do(role: Role) -> None:
    caller = Principal("someone", frozenset({role}))
    offered = {operation for operation in PATHS if may_act(caller, operation)}
    assert ("freeze_report" in offered) == (role in {Role.PROVINCE_LEAD, Role.DECIDER})
    assert ("urge_by_hand" in offered) == (role in {Role.PROVINCE_LEAD, Role.DECIDER})
    assert not may_act(None, "freeze_report")
    assert not may_call(caller, "inventory", "POST", "/v1/no-such")


def test_a_file_of_a_form_is_read_as_it_is() -> None:
    content = b"%PDF\r\n--x\r\n\x00\xff"
    body = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + content + b"\r\n--B--\r\n"
    assert read_sent("multipart/form-data; boundary=B", body).content == content
    assert read_sent("multipart/form-data; boundary=B", b"").content == b""
    assert read_sent("text/plain", body).content == b""


@pytest.mark.parametrize("boundary", ["", "B"])
def test_bombs_of_very_many_parts_of_a_form_are_not_taken_apart(boundary: str) -> None:
    mark_of_part = b"--" + boundary.encode()
    body = mark_of_part + (b"\r\nab\r\n" + mark_of_part) * 1_000_000
    tracemalloc.start()
    assert read_sent(f'multipart/form-data; boundary="{boundary}"', body).content == b""
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(body)


def test_bombs_of_row_numbers_are_counted_to_the_bound() -> None:
    assert count_rows("rows", {f"rows.{'9' * 5000}.name": ["a"]}) == 200


def test_files_have_one_route() -> None:
    assert [route.path for route in files.routes if isinstance(route, APIRoute)] == ["/files/{service}/{path:path}"]
