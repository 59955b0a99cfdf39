"""How old everything is, over HTTP: facts and proofs of what the caller sees, streams, clock, present and workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vonggac.auth import Role
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.ingest.handlers import Ingest
    from vonggac.bus import Bus


async def freshness(client: Client) -> dict[str, Any]:
    answer = await client.get("/v1/freshness")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def cut(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def test_without_facts_nothing_has_an_age(client: Client) -> None:
    found = await freshness(client)
    for name in ("newest_fact", "newest_proof"):
        assert (found[f"{name}_at"], found[f"{name}_age_s"]) == (None, None)
    assert (found["workers"], found["ledger_closed_until"]) == ([], None)
    assert [one["stream"] for one in found["streams"]] == ["OBSERVATIONS", "INVENTORY"]


async def test_what_was_published_is_handled_and_its_stream_has_a_time(
    client: Client, bus: Bus, province: Province
) -> None:
    camera, now = province.camera(), datetime.now(UTC)
    events = [*province.base(), province.stated("camera", camera), *province.watched(now), province.probe(camera, now)]
    await province.publish(bus, *events)

    async def handled() -> dict[str, Any] | None:
        found = await freshness(client)
        is_handled = all(one["pending"] == 0 and one["handled_at"] for one in found["streams"])
        return found if is_handled and found["present"]["as_of"] and found["clock"]["measured"] else None

    found = await eventually(handled, within_s=60)
    assert found is not None
    assert found["bus"] == {"connected": True, "feeding": True}
    assert datetime.fromisoformat(found["newest_fact_at"]) == cut(now)
    for stream in found["streams"]:
        assert stream["handled_at"] == stream["stream_time"]
        assert stream["oldest_pending_age_s"] == 0
        assert timedelta(0) <= datetime.fromisoformat(found["now"]) - datetime.fromisoformat(stream["handled_at"])
    assert found["present"]["difference"] == 0
    assert found["present"]["age_s"] < 60
    assert abs(found["clock"]["skew_s"]) < 5


async def test_workers_have_an_age_and_the_dead_are_not_alive(
    client: Client, ingest: Ingest, province: Province
) -> None:
    now = datetime.now(UTC)
    silent, gone = now - timedelta(hours=2), now - timedelta(hours=30)
    beats = [province.alive(now), province.prober_alive(silent), province.alive(gone, worker="forwarder-gone")]
    await province.feed(ingest, *beats)
    found = await freshness(client)
    assert [(one["kind"], one["worker_id"]) for one in found["workers"]] == [
        ("forwarder", "forwarder-000000000001"),
        ("prober", "prober-000000000001"),
    ]
    forwarder, prober = found["workers"]
    assert datetime.fromisoformat(forwarder["alive_at"]) == cut(now)
    assert 7200 <= prober["age_s"] < 7500
    assert prober["alive"] is False


async def test_the_newest_fact_and_proof_are_those_that_the_caller_sees(
    start: Start, bus: Bus, ingest: Ingest, province: Province
) -> None:
    secret, now = uuid4(), datetime.now(UTC) - timedelta(seconds=30)
    shown, hidden = province.camera("CAM-01"), province.camera("CAM-02", facility_id=secret)
    hidden_place = province.facility_state(id=secret, code="QS-01", restricted=True)
    events = [*province.base(), province.stated("facility", hidden_place)]
    events += [province.stated("camera", one) for one in (shown, hidden)]
    await province.feed(ingest, *events, *province.watched(now))
    earlier = now - timedelta(minutes=5)
    facts = [province.probe(shown, earlier), province.probe(hidden, now)]
    facts += [province.read_back(shown.deliveries[0], shown, earlier - timedelta(seconds=7))]
    facts += [province.read_back(hidden.deliveries[0], hidden, now - timedelta(seconds=3))]
    await province.feed(ingest, *facts)
    async with start(role=Role.READER) as reader, start() as lead:
        own, all_ = await freshness(reader), await freshness(lead)
        assert datetime.fromisoformat(own["newest_fact_at"]) == cut(earlier)
        assert datetime.fromisoformat(own["newest_proof_at"]) == cut(earlier - timedelta(seconds=7))
        assert own["newest_proof_age_s"] >= 337
        assert datetime.fromisoformat(all_["newest_fact_at"]) == cut(now)
        assert datetime.fromisoformat(all_["newest_proof_at"]) == cut(now - timedelta(seconds=3))
        # What a forwarder reports is a fact too, and one that is older than the newest probe changes nothing.
        later = now + timedelta(seconds=10)
        changes = [
            province.change(shown.deliveries[0], shown, 1, earlier - timedelta(seconds=90), "connecting"),
            province.change(shown.deliveries[0], shown, 2, later, "acknowledged"),
        ]
        await province.feed(ingest, *changes)
        for client in (reader, lead):
            assert datetime.fromisoformat((await freshness(client))["newest_fact_at"]) == cut(later)
