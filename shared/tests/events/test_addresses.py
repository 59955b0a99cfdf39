"""An event is evidence on its own subject alone, with its own ids, from the service whose type it is."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from vonggac.events import CloudEvent, MisplacedEventError, Payload, decode, decode_on, subjects

GOLDEN = {path.name.removesuffix(".json"): path.read_bytes() for path in (Path(__file__).parent / "golden").iterdir()}
CAMERA, OTHER = "0a4c7b1e-6a53-4a8e-9d0e-2f1a5b7c8d90", "11111111-2222-4333-8444-555555555555"
PROBER, FORWARDER = "prober-0123456789ab", "forwarder-0123456789ab"
BY_NOUN: dict[str, Callable[[Any], str]] = {
    "camera_observed": lambda data: subjects.camera_observation(data.camera_id),
    "camera_media_observed": lambda data: subjects.camera_media_observation(data.camera_id),
    "delivery_observed": lambda data: subjects.delivery_observation(data.delivery_id),
    "delivery_verified": lambda data: subjects.delivery_verification(data.camera_id, data.delivery_id),
    "site_observed": lambda data: subjects.site_observation(data.facility_id),
    "demand": lambda data: subjects.demand(data.kind),
    "stream_lost": lambda data: subjects.stream_observation(data.stream),
    "outage_opened": lambda data: subjects.notice("outage", data.camera_id),
    "outage_closed": lambda data: subjects.notice("outage", data.camera_id),
    "site_fault_opened": lambda data: subjects.notice("site", data.facility_id),
    "site_fault_closed": lambda data: subjects.notice("site", data.facility_id),
    "obligation_overdue": lambda data: subjects.notice("obligation", data.obligation_id),
    "report_frozen": lambda data: subjects.notice("report", data.report_id),
    "report_laid_before": lambda data: subjects.notice("report", data.report_id),
    "report_approved": lambda data: subjects.notice("report", data.report_id),
    "report_flagged": lambda data: subjects.notice("report", data.report_id),
    "removed": lambda data: subjects.inventory(data.noun, data.id),
}


def subject_of(event: CloudEvent[Payload]) -> str:
    """Where the service whose event it is publishes it."""
    _, _, producer, noun, _ = event.type.split(".")
    if noun == "worker_alive":
        return subjects.worker_heartbeat(producer, event.data.worker_id)  # type: ignore[attr-defined] # a heartbeat
    if noun in BY_NOUN:
        return BY_NOUN[noun](event.data)
    return subjects.inventory(noun, event.data.id)  # type: ignore[attr-defined] # a state of the register


SUBJECTS: Mapping[str, str] = {name: subject_of(decode(body)) for name, body in GOLDEN.items()}


def changed(name: str, *, data: Mapping[str, object] | None = None, **envelope: object) -> bytes:
    """A golden message with other values."""
    document = json.loads(GOLDEN[name])
    return json.dumps({**document, **envelope, "data": {**document["data"], **(data or {})}}).encode()


@pytest.mark.parametrize("name", GOLDEN)
def test_accounts_an_event_is_read_on_its_own_subject_replayed_and_republished(name: str) -> None:
    subject = SUBJECTS[name]
    for copy in (subject, subjects.replay(subject), subjects.stored(subject)):
        assert decode_on(copy, GOLDEN[name]).type == name


@pytest.mark.parametrize("name", GOLDEN)
def test_accounts_an_event_is_refused_on_the_subjects_of_all_other_types(name: str) -> None:
    for other, subject in SUBJECTS.items():
        if subject == SUBJECTS[name]:
            continue
        for copy in (subject, subjects.replay(subject), subjects.stored(subject)):
            with pytest.raises(MisplacedEventError) as refused:
                decode_on(copy, GOLDEN[name])
            assert name in str(refused.value)
            assert subject in str(refused.value), other


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.split(".")[2] in ("prober", "forwarder")])
@pytest.mark.parametrize(
    "subject", ["observation.strange.x", "observation", "inventory.camera.x.y", "", "replay.", "a..b"]
)
def test_accounts_an_event_is_refused_on_a_subject_of_nobody(name: str, subject: str) -> None:
    with pytest.raises(MisplacedEventError):
        decode_on(subject, GOLDEN[name])


@pytest.mark.parametrize(
    ("subject", "body", "said"),
    [
        (
            subjects.camera_observation(OTHER),
            changed("vn.vonggac.prober.camera_observed.v1"),
            f"its data.camera_id is {CAMERA}",
        ),
        (
            subjects.worker_heartbeat("prober", "prober-ffffffffffff"),
            changed("vn.vonggac.prober.worker_alive.v1"),
            f"its data.worker_id is {PROBER}",
        ),
        (
            subjects.worker_heartbeat("forwarder", "forwarder-ffffffffffff"),
            changed("vn.vonggac.forwarder.worker_alive.v1"),
            f"its data.worker_id is {FORWARDER}",
        ),
        (
            subjects.worker_heartbeat("prober", FORWARDER),
            changed("vn.vonggac.prober.worker_alive.v1", data={"worker_id": FORWARDER}),
            f"its data.worker_id is {FORWARDER}, of forwarder",
        ),
        (
            subjects.camera_observation(CAMERA),
            changed("vn.vonggac.prober.camera_observed.v1", data={"worker_id": FORWARDER}),
            "of forwarder",
        ),
        (
            subjects.camera_observation(CAMERA),
            changed("vn.vonggac.prober.camera_observed.v1", publisher=FORWARDER, publishersequence=9),
            f"its publisher is {FORWARDER}, of forwarder",
        ),
        (
            subjects.camera_observation(CAMERA),
            changed("vn.vonggac.prober.camera_observed.v1", source=f"/forwarder/{FORWARDER}"),
            f"its source is /forwarder/{FORWARDER}, of forwarder",
        ),
        (
            SUBJECTS["vn.vonggac.forwarder.delivery_observed.v1"],
            changed("vn.vonggac.forwarder.delivery_observed.v1", source="/inventory"),
            "its source is /inventory, of inventory",
        ),
        (
            SUBJECTS["vn.vonggac.forwarder.delivery_observed.v1"],
            changed("vn.vonggac.forwarder.delivery_observed.v1", publisher=PROBER, publishersequence=2),
            f"its publisher is {PROBER}, of prober",
        ),
        (
            SUBJECTS["vn.vonggac.inventory.removed.v1"],
            changed("vn.vonggac.inventory.removed.v1", data={"noun": "destination"}),
            "its data.noun is destination",
        ),
    ],
)
def test_accounts_nobody_speaks_of_another_thing_or_for_another_service(subject: str, body: bytes, said: str) -> None:
    for copy in (subject, subjects.replay(subject), subjects.stored(subject)):
        with pytest.raises(MisplacedEventError) as refused:
            decode_on(copy, body)
        assert said in str(refused.value)


@pytest.mark.parametrize("job", [subjects.probe_job, subjects.delivery_job, subjects.verify_job])
def test_accounts_a_job_is_a_camera_or_its_removal(job: Callable[[str], str]) -> None:
    name = "vn.vonggac.inventory.camera.v1"
    camera_id = SUBJECTS[name].rpartition(".")[2]
    assert decode_on(job(camera_id), GOLDEN[name]).type == name
    removed = changed("vn.vonggac.inventory.removed.v1", data={"id": camera_id, "noun": "camera"})
    assert decode_on(job(camera_id), removed).type == "vn.vonggac.inventory.removed.v1"
    for other in ("vn.vonggac.inventory.facility.v1", "vn.vonggac.prober.camera_observed.v1"):
        with pytest.raises(MisplacedEventError, match="belongs on"):
            decode_on(job(camera_id), GOLDEN[other])
    with pytest.raises(MisplacedEventError, match=r"data\.id"):
        decode_on(job(OTHER), GOLDEN[name])
