"""Every field that a person writes has its Vietnamese in the API's document, and every reference its noun."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from inventory.api.labels import LABEL, NOUN, VALUES

DOCUMENT: dict[str, Any] = json.loads((files("inventory.api") / "openapi.json").read_text("utf-8"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
ALIKE = {"tls", "vpn", "sha256", "onvif", "id", "etag"}
"""The same word in both languages may stand."""
AS_THEY_ARE = {"Vendor", "MediaType", "Codec", "MediaTransport", "ServedTransport", "RequiredProof", "ReasonKind"}
"""Lists of technical words."""


def fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Operation, field and schema of all that a JSON body holds."""
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "requestBody" in operation:
                body = operation["requestBody"]["content"].get("application/json", {}).get("schema", {})
                yield from ((operation["operationId"], *found) for found in within(body, frozenset()))


def within(schema: dict[str, Any], seen: frozenset[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in (schema, *schema.get("anyOf", ()), schema.get("items", {})):
        name = each.get("$ref", "").rpartition("/")[2]
        if name and name not in seen:
            yield from within(SCHEMAS[name], seen | {name})
    for name, inner in schema.get("properties", {}).items():
        yield name, inner
        yield from within(inner, seen)


def test_every_field_that_is_written_has_a_vietnamese_label() -> None:
    found = list(fields())
    assert len(found) > 1000
    assert {name for _, name, schema in found if schema.get(LABEL, name) == name} - ALIKE == set()


def test_every_list_of_words_that_is_written_has_its_vietnamese() -> None:
    named = {
        name
        for _, _, schema in fields()
        for each in (schema, *schema.get("anyOf", ()), schema.get("items", {}))
        if (name := each.get("$ref", "").rpartition("/")[2]) and "enum" in SCHEMAS[name]
    }
    assert len(named) > 20
    for name in sorted(named - AS_THEY_ARE):
        assert set(SCHEMAS[name].get(VALUES, ())) == set(SCHEMAS[name]["enum"]), name


@pytest.mark.parametrize(
    ("schema", "field", "noun"),
    [
        ("CameraPatch", "facility_id", "facilities"),
        ("ObligationFields", "responsible_agency_id", "agencies"),
        ("RequestFields", "obligation_id", "obligations"),
        ("GivenConsent", "agency_id", "agencies"),
    ],
)
def test_a_reference_says_of_which_noun_it_is(schema: str, field: str, noun: str) -> None:
    assert SCHEMAS[schema]["properties"][field][NOUN] == noun


def test_values_are_called_as_files_call_them() -> None:
    assert SCHEMAS["FacilityType"][VALUES]["military"] == "quân đội"
    assert SCHEMAS["CameraPatch"]["properties"]["enabled"][LABEL]
