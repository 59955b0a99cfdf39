"""Every list is a list like the others, and every list and item of records takes both clocks."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from inventory import api
from vonggac.http.openapi.inlined_parts import inline_repeated_parts

DOCUMENT: Mapping[str, Any] = inline_repeated_parts(
    json.loads((Path(api.__path__[0]) / "openapi.json").read_text(encoding="utf-8"))
)
PAGING = {"cursor", "limit", "sort", "fields", "total"}
CLOCKS = {"as_of", "valid_on"}
NO_RECORDS = {
    "/v1/changes": "the log of all times, by `since` and `until`",
    "/v1/actions": "a log of what people did, each at its own time",
    "/v1/dead-letters": "messages of the bus",
    "/v1/destinations/{thing_id}/addresses": "what the engineer of a centre types in today",
    "/v1/due-purges": "what waits today",
    "/v1/facilities/{thing_id}/links": "tokens, whose own times say what held when",
    "/v1/facility-link": "the one that calls",
    "/v1/purges": "a log of what is no more",
    "/v1/imports": "the list of files that came; none of its lines is changed",
    "/v1/imports/{import_id}": "one of them",
    "/v1/surveys/{thing_id}/submissions/{submission_id}": "how far a transfer is, for its sender",
    "/v1/vendors": "makes, which the program knows",
    "/v1/vendors/url": "made of what is asked",
}
"""What is no record of the register: it has no earlier states, and is in force on no day."""
IN_FORCE_ON_NO_DAY = {"/v1/decision-requests", "/v1/decision-requests/{thing_id}", "/v1/self-approvals"}
"""What has earlier states, and no validity."""
HISTORY = "/history"
"""Of one record: the log of all times."""


def read_routes() -> Iterator[tuple[str, Mapping[str, Any], set[str]]]:
    """Each route that answers JSON: path, schema of the answer, names of its parameters."""
    for path, methods in DOCUMENT["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if path.startswith("/v1/") and "application/json" in content:
            parameters = {one["name"] for one in methods["get"].get("parameters", ())}
            yield path, content["application/json"]["schema"], parameters


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of several shapes, without references."""
    while True:
        if "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            schema = schema["anyOf"][0]
        else:
            return schema


def is_list(schema: Mapping[str, Any]) -> bool:
    items = resolved(schema).get("properties", {}).get("items", {})
    return str(items.get("type")) == "array"


LISTS = {path: parameters for path, schema, parameters in read_routes() if is_list(schema)}
RECORDS = {
    path: parameters for path, _, parameters in read_routes() if path not in NO_RECORDS and not path.endswith(HISTORY)
}


def test_the_walk_finds_what_there_is() -> None:
    assert {"/v1/cameras", "/v1/due-obligations", "/v1/vendors", "/v1/directives/{thing_id}/chain"} <= LISTS.keys()
    assert {"/v1/cameras/{thing_id}", "/v1/facilities/{thing_id}/sufficiency"} <= RECORDS.keys()
    assert NO_RECORDS.keys() <= {path for path, _, _ in read_routes()}
    assert len(LISTS) > 50


@pytest.mark.parametrize("path", LISTS)
def test_a_list_has_pages_totals_sort_and_fields(path: str) -> None:
    assert LISTS[path] >= PAGING, PAGING - LISTS[path]


@pytest.mark.parametrize("path", RECORDS)
def test_a_list_or_item_of_records_has_both_clocks(path: str) -> None:
    clocks = {"as_of"} if path in IN_FORCE_ON_NO_DAY else CLOCKS
    assert RECORDS[path] & CLOCKS == clocks


def test_what_is_no_record_has_no_clock_that_it_would_not_read() -> None:
    for path, _, parameters in read_routes():
        assert path in RECORDS or not parameters & CLOCKS, path
