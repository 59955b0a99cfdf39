"""The committed OpenAPI documents say what is sent, in one style: the rules of spectral and ours, without node."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vonggac.http.openapi.groups import choose_group, list_groups
from vonggac.http.openapi.inlined_parts import inline_repeated_parts

ROOT = Path(__file__).parents[2]
SERVICES = ("inventory", "prober", "forwarder", "reporting")
PROBLEM = {"$ref": "#/components/schemas/Problem"}
PAGING = {"cursor", "limit", "sort", "fields", "total"}
FILES = {"text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
"""What an import with `answer=file` answers mistakes with."""
MOST_LINES = {"inventory": 53_000, "prober": 10_000, "forwarder": 5_000, "reporting": 20_500}
MOST_BYTES = 800_000
"""Of the document without white space."""
MOST_BYTES_OF_A_GROUP = 100_000
OLD_STYLES = {"after", "offset", "page", "skip"}

type Json = dict[str, Any]

pytestmark = pytest.mark.parametrize("service", SERVICES)


@cache
def read(service: str) -> Json:
    path = ROOT / "services" / service / "src" / service / "api" / "openapi.json"
    return inline_repeated_parts(json.loads(path.read_text("utf-8")))


def operations(service: str) -> Iterator[tuple[str, Json]]:
    for path, methods in read(service)["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_operation_is_described_under_a_short_id_and_a_known_tag(service: str) -> None:
    tags = {tag["name"]: tag["description"] for tag in read(service)["tags"]}
    ids: list[str] = []
    for name, operation in operations(service):
        ids.append(operation["operationId"])
        assert operation.get("description"), name
        assert operation.get("summary"), name
        assert set(operation["tags"]) <= tags.keys(), name
    assert len(ids) == len(set(ids))
    assert [one for one in ids if not re.fullmatch(r"[a-z]+(_[a-z]+){0,4}", one)] == []


def test_every_error_is_a_problem_and_422_is_everywhere(service: str) -> None:
    for name, operation in operations(service):
        responses = operation["responses"]
        assert {"401", "403", "422", "500", "503"} <= responses.keys(), name
        assert ("413" in responses) >= ("requestBody" in operation), name
        for status, response in responses.items():
            if int(status) >= 400:
                files = FILES if (name.startswith("post /v1/imports/"), status) == (True, "422") else set()
                kinds = set(response["content"]) - (files if "requestBody" in operation else set())
                assert kinds == {"application/problem+json"}, (name, status)
                assert response["content"]["application/problem+json"]["schema"] == PROBLEM, (name, status)
    assert "HTTPValidationError" not in read(service)["components"]["schemas"]


def test_what_is_asked_for_by_its_name_may_not_be_there(service: str) -> None:
    for name, operation in operations(service):
        named = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        missing = {"404"} if named else set()
        if "thing_id" in named:
            missing |= {"410"}
        assert missing <= operation["responses"].keys(), name


def test_every_request_has_an_example_and_every_example_fits(service: str) -> None:
    for name, operation in operations(service):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media in body.get("content", {}).values():
                if "example" in media:
                    schema = {**media["schema"], "components": read(service)["components"]}
                    jsonschema.Draft202012Validator(schema).validate(media["example"])
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            assert "example" in media or media.get("schema", {}).get("format") == "binary", (name, kind)


def test_of_several_good_answers_each_has_a_body(service: str) -> None:
    """One without makes the type of all of them unknown in a TypeScript client."""
    for name, operation in operations(service):
        good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert len(good) == 1 or all(answer.get("content") for answer in good), name


def test_a_text_is_no_bytes_for_a_generated_client(service: str) -> None:
    """Some clients decode `text/…` and JSON, and fail to make a file of what they decoded."""
    for name, operation in operations(service):
        for response in operation["responses"].values():
            for kind, media in response.get("content", {}).items():
                if kind.startswith("text/") or kind.endswith("json"):
                    assert media.get("schema", {}).get("format") != "binary", (name, kind)


def test_what_is_read_is_not_asked_for_an_idempotency_key(service: str) -> None:
    for name, operation in operations(service):
        headers = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
        if name.startswith("get "):
            assert "Idempotency-Key" not in headers, name
        if "Idempotency-Key" in headers:
            assert "409" in operation["responses"], name


def test_title_and_headers(service: str) -> None:
    document = read(service)
    assert document["info"]["title"] == f"Vong Gac {service.capitalize()}"
    assert "Vọng Gác" in document["info"]["description"]
    for name, operation in operations(service):
        headers = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
        assert headers & {"accept", "Accept", "Authorization", "Content-Type"} == set(), name
        ok = operation["responses"].get("200", {})
        if name.startswith("get ") and "application/json" in ok.get("content", {}):
            assert "If-None-Match" in headers, name
            assert "ETag" in ok["headers"], name


def test_every_page_is_asked_for_in_one_way(service: str) -> None:
    lists = 0
    for name, operation in operations(service):
        asked = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        assert asked & OLD_STYLES == set(), name
        if asked & PAGING:
            lists += 1
            assert asked >= PAGING, name
            assert "Link" in operation["responses"]["200"]["headers"], name
    assert lists >= 3


def test_a_service_serves_this_file_and_makes_none(service: str) -> None:
    source = (ROOT / "services" / service / "src" / service / "app.py").read_text("utf-8")
    assert f'package="{service}.api"' in source


def test_a_document_says_each_thing_once(service: str) -> None:
    """What a client's author reads and a browser draws: error answers, headers and parameters are referred to."""
    text = (ROOT / "services" / service / "src" / service / "api" / "openapi.json").read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES[service]
    assert len(json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")).encode()) <= MOST_BYTES
    document = json.loads(text)
    repeated = Counter(
        json.dumps(part, sort_keys=True)
        for path in document["paths"].values()
        for operation in path.values()
        for part in (*operation.get("parameters", []), *operation["responses"].values())
        if "$ref" not in part
    )
    assert [part for part, times in repeated.items() if times > 1] == []


def test_every_group_is_a_document_of_its_own(service: str) -> None:
    path = ROOT / "services" / service / "src" / service / "api" / "openapi.json"
    document = json.loads(path.read_text("utf-8"))
    chosen = [choose_group(document, group) for group in list_groups(document)]
    found = Counter(one["operationId"] for each in chosen for item in each["paths"].values() for one in item.values())
    assert found == Counter(one["operationId"] for _, one in operations(service)), "each operation is in one group"
    for each in chosen:
        text = json.dumps(each, ensure_ascii=False)
        for kind, name in set(re.findall(r'"#/components/(\w+)/([^"]+)"', text)):
            assert name in each["components"][kind], (each["info"]["title"], kind, name)
        assert len(text) < MOST_BYTES_OF_A_GROUP, each["info"]["title"]
