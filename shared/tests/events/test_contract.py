"""The public contract: golden messages go on parsing, generated documents are fresh."""

import json
from pathlib import Path
from typing import Any, ClassVar

import jsonschema_rs
import pytest

from vonggac.bus.declared import generate
from vonggac.bus.declared.generate import SCHEMA_FOLDER, asyncapi, stale
from vonggac.events import Cause, MalformedEventError, decode, new_event, share_field_names
from vonggac.events.advice import ADVICE
from vonggac.events.envelope import Payload
from vonggac.events.registry import PAYLOADS_BY_PRODUCER, payload_model
from vonggac.events.traces import new_trace, parse_traceparent, within_trace

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"
TYPES = [model.event_type for models in PAYLOADS_BY_PRODUCER.values() for model in models]


def golden(event_type: str) -> dict[str, Any]:
    document = json.loads((GOLDEN / f"{event_type}.json").read_text("utf-8"))
    assert isinstance(document, dict)
    return document


def holds(read: Any, written: Any) -> bool:
    """Whether everything that was written was read; what is None may be left out, later fields have their defaults."""
    if isinstance(written, dict):
        return isinstance(read, dict) and all(holds(read.get(name), written[name]) for name in written)
    if isinstance(written, list):
        return len(read) == len(written) and all(holds(one, other) for one, other in zip(read, written, strict=True))
    return bool(read == written)


def test_a_fact_without_an_address_of_its_own_is_not_described_as_one_of_the_register(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class QuietV1(Payload):
        event_type: ClassVar[str] = "vn.vonggac.reporting.quiet.v1"

    monkeypatch.setattr(generate, "PAYLOADS_BY_PRODUCER", {"reporting": (QuietV1,)})
    with pytest.raises(KeyError, match="QuietV1"):
        asyncapi("reporting")


@pytest.mark.parametrize("event_type", TYPES)
def test_a_golden_message_of_every_type_goes_on_parsing(event_type: str) -> None:
    document = golden(event_type)
    event = decode(json.dumps(document).encode())
    assert isinstance(event.data, payload_model(event_type))
    assert holds(json.loads(event.encode())["data"], document["data"])


@pytest.mark.parametrize("event_type", TYPES)
def test_no_text_of_a_message_is_kept_for_the_next_one(event_type: str) -> None:
    body, model = json.dumps(golden(event_type)).encode(), payload_model(event_type)
    first, second = decode(body), decode(body)
    assert first.id == second.id
    assert first.id is not second.id
    data = json.dumps(golden(event_type)["data"]).encode()
    for one, other in ((first.data, second.data), (model.model_validate_json(data), model.model_validate_json(data))):
        # A word of a closed list is one object anyway.
        texts = [name for name, value in one if type(value) is str and len(value) > 1]
        assert [name for name in texts if getattr(one, name) is getattr(other, name)] == []


@pytest.mark.parametrize("event_type", TYPES)
def test_golden_messages_fit_the_committed_schema(event_type: str) -> None:
    schema = json.loads((ROOT / SCHEMA_FOLDER / f"{event_type}.schema.json").read_text("utf-8"))
    # It refuses a schema that is none, ten times as fast as `jsonschema`.
    validator = jsonschema_rs.Draft202012Validator(schema)
    validator.validate(golden(event_type))
    assert not validator.is_valid(golden(event_type) | {"data": {}})


@pytest.mark.server
def test_generated_documents_are_fresh() -> None:
    assert stale(ROOT) == []


def test_a_document_that_was_edited_by_hand_is_found(tmp_path: Path) -> None:
    assert len(stale(tmp_path)) == len(TYPES) + len(PAYLOADS_BY_PRODUCER)


def test_reporting_receives_both_kinds_of_heartbeat() -> None:
    channels = asyncapi("reporting")["channels"]
    for service in ("prober", "forwarder"):
        assert set(channels[f"observation_worker_{service}"]["messages"]) == {f"{service}_worker_alive"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"type": "vn.vonggac.inventory.camera.v99"}, "type"),
        ({"specversion": "0.3"}, "specversion"),
        ({"time": "2026-11-24T02:15:30"}, "time"),
        ({"data": {"id": "no"}}, "id"),
        ({"id": ""}, "id"),
    ],
)
def test_what_is_wrong_with_a_message_is_named(change: dict[str, Any], complaint: str) -> None:
    document = golden("vn.vonggac.inventory.camera.v1") | change
    with pytest.raises(MalformedEventError, match=complaint):
        decode(json.dumps(document).encode())


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b'{"specversion":"1.0"}', b"{" * 5000])
def test_bytes_that_are_no_event_are_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEventError):
        decode(body)


def test_fields_a_newer_producer_adds_are_ignored() -> None:
    document = golden("vn.vonggac.inventory.camera.v1")
    document["data"]["lens"] = "2.8 mm"
    document["traceparent"] = "00-0-0-01"
    assert decode(json.dumps(document).encode()).data == decode(json.dumps(golden(document["type"])).encode()).data


def test_every_cause_has_its_detection_and_advice_in_both_languages() -> None:
    assert set(ADVICE) == set(Cause)
    for cause, advice in ADVICE.items():
        for text in (advice.detection, advice.vi, advice.en):
            assert text.endswith("."), cause
            assert "\n" not in text


def test_messages_of_the_same_fields_share_the_set_of_their_names() -> None:
    body = json.dumps(golden("vn.vonggac.inventory.camera.v1")).encode()
    first, second = decode(body), share_field_names(decode(body))
    assert share_field_names(first) == second == decode(body)
    assert first.model_fields_set is second.model_fields_set
    assert first.data.model_fields_set is second.data.model_fields_set
    assert first.encode() == second.encode()


def test_an_event_carries_the_trace_that_caused_it_and_one_of_its_own_without() -> None:
    event = decode(json.dumps(golden("vn.vonggac.inventory.camera.v1")).encode())
    again: Any = {"source": event.source, "subject": event.subject, "time": event.time}
    own = [parse_traceparent(new_event(event.data, **again).traceparent) for _ in range(2)]
    assert own[0] is not None
    assert own[1] is not None
    assert own[0].trace_id != own[1].trace_id
    assert not own[0].recorded, "nobody keeps its spans"
    trace = new_trace()
    with within_trace(trace):
        body = new_event(event.data, **again).encode()
    assert json.loads(body)["traceparent"] == trace.traceparent
    assert decode(body).traceparent == trace.traceparent


@pytest.mark.parametrize("given", ["00-0-0-01", 7, {"a": 1}, "x" * 10_000])
def test_a_trace_that_another_program_wrote_wrongly_makes_no_event_malformed(given: object) -> None:
    document = golden("vn.vonggac.inventory.camera.v1") | {"traceparent": given}
    assert decode(json.dumps(document).encode()).traceparent is None
