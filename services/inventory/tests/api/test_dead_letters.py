"""What no retry could save is listed, counted, and published again."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from inventory.metrics import Metrics
from inventory.storage.upkeep.streams import measure_streams
from vonggac.auth import Role
from vonggac.bus import Bus, JobQueue
from vonggac.bus.dead_letters import DeadLetters, NotReplayableError, store_unpublished
from vonggac.bus.declared import topology
from vonggac.events import new_event, subjects
from vonggac.events.prober import ProberAliveV1
from vonggac.testing import eventually
from vonggac.testing.waiting import running_beside

pytestmark = pytest.mark.server


async def camera_with_a_dead_letter(province: Any, bus: Bus) -> dict[str, Any]:
    """A camera whose probe job a worker could not handle."""
    made: dict[str, Any] = await province.camera()
    queue = JobQueue(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER)
    [job] = await eventually(lambda: some(queue))
    await queue.dead_letter(job, "no job for a prober")
    await queue.close()
    return made


async def some(queue: JobQueue) -> list[Any]:
    jobs = await queue.fetch(1, wait_s=0.3)
    assert jobs
    return jobs


async def test_reconcile_a_dead_job_is_listed_and_replayed(province: Any, bus: Bus) -> None:
    made = await camera_with_a_dead_letter(province, bus)
    listed = (await province.client.get("/v1/dead-letters?limit=1&total=true")).json()
    [letter] = listed["items"]
    assert (listed["next"], listed["total"]) == (None, 1)
    assert (letter["stream"], letter["durable"]) == (topology.PROBE_JOBS, topology.PROBER)
    assert letter["reason"] == "no job for a prober"
    assert letter["subject"] == subjects.probe_job(made["id"])
    assert made["code"] in letter["body"]
    await province.change(f"/v1/cameras/{made['id']}", json={"name": "Hành lang mới"})
    answer = await province.client.post(f"/v1/dead-letters/{letter['sequence']}/replay")
    assert answer.json() == {"sequence": letter["sequence"], "subject": subjects.inventory("camera", made["id"])}
    queue = JobQueue(bus, stream=topology.PROBE_JOBS, durable=topology.PROBER)
    [job] = await eventually(lambda: some(queue))
    await queue.close()
    assert job.event.data.name in {"Hành lang mới", made["name"]}
    present = await bus.js.get_last_msg(topology.INVENTORY, subjects.inventory("camera", made["id"]))
    assert "Hành lang mới".encode() in (present.data or b"")
    again = await province.client.post(f"/v1/dead-letters/{letter['sequence']}/replay")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


async def test_reconcile_a_dead_observation_is_published_as_it_was(province: Any, bus: Bus) -> None:
    now = datetime.now(UTC)
    fact = ProberAliveV1(worker_id="prober-1", started_at=now, alive_at=now, probes_running=0)
    body = new_event(fact, source="/prober/prober-1", subject="prober-1", time=now).encode()
    subject = subjects.worker_heartbeat("prober", "prober-1")
    await store_letter(bus, subject, body)
    [letter] = await DeadLetters(bus).page()
    answer = await province.client.post(f"/v1/dead-letters/{letter.sequence}/replay")
    assert answer.status_code == 200, answer.text
    stored = await bus.js.get_last_msg(topology.OBSERVATIONS, subjects.replay(subject))
    assert stored.data == body


async def store_letter(bus: Bus, subject: str, body: bytes) -> None:
    letter = subjects.dead_letter(topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS)
    await bus.js.publish(letter, body, headers={"Vonggac-Subject": subject, "Vonggac-Reason": "tried"})


@pytest.mark.parametrize(
    ("subject", "complaint"),
    [("", "neither an observation"), ("probe.job.c1", "nothing stands"), ("strange", "neither")],
)
async def test_a_letter_that_cannot_be_replayed_stays_and_says_why(
    province: Any, bus: Bus, subject: str, complaint: str
) -> None:
    await store_letter(bus, subject, b"{}")
    [letter] = await DeadLetters(bus).page()
    answer = await province.client.post(f"/v1/dead-letters/{letter.sequence}/replay")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_replayable")
    assert complaint in answer.json()["detail"]
    assert len(await DeadLetters(bus).page()) == 1


async def test_nonsense_in_the_register_is_not_replayed_for_ever(bus: Bus) -> None:
    subject = subjects.inventory("camera", uuid4())
    await bus.js.publish(subject, b"nonsense")
    await store_letter(bus, subject, b"nonsense")
    [letter] = await DeadLetters(bus).page()
    with pytest.raises(NotReplayableError, match="republish the register"):
        await DeadLetters(bus).replay(letter)


async def test_an_authority_lists_and_does_not_replay(
    province: Any, bus: Bus, token_for: Callable[[Role], str]
) -> None:
    await store_letter(bus, "strange", b"{}")
    headers = {"Authorization": f"Bearer {token_for(Role.AUTHORITY)}"}
    assert (await province.client.get("/v1/dead-letters", headers=headers)).status_code == 200
    assert (await province.client.post("/v1/dead-letters/1/replay", headers=headers)).status_code == 403


@pytest.mark.parametrize("sort", ["sequence", "-sequence"])
async def test_dead_letters_are_paged_as_every_list(province: Any, bus: Bus, sort: str) -> None:
    for number in range(5):
        subject = subjects.camera_observation(str(number))
        await store_unpublished(bus, subject, b"{}", durable="outgoing_prober", reason=f"no {number}")
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2, "sort": sort}
    while True:
        page = (await province.client.get("/v1/dead-letters", params=query)).json()
        found += [letter["reason"] for letter in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    wanted = [f"no {number}" for number in range(5)]
    assert found == (wanted if sort == "sequence" else wanted[::-1])
    refused = await province.client.get("/v1/dead-letters", params={"after": 3})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "after")


async def test_dead_letters_and_the_size_of_bounded_streams_are_measured(bus: Bus) -> None:
    metrics = Metrics()
    await store_letter(bus, "strange", b"{}")
    labels = {"stream": topology.OBSERVATIONS, "durable": topology.REPORTING_OBSERVATIONS}
    async with running_beside(measure_streams(bus, metrics=metrics, every_s=0.05)):
        value = metrics.registry.get_sample_value
        await eventually(lambda: value("vonggac_inventory_dead_letters", labels) == 1)
        await eventually(lambda: value("vonggac_inventory_stream_bytes", {"stream": topology.DEAD_LETTERS}))
        bound = value("vonggac_inventory_stream_max_bytes", {"stream": topology.OBSERVATIONS})
        assert bound == topology.OBSERVATIONS_MAX_BYTES
        await bus.js.purge_stream(topology.DEAD_LETTERS)
        await eventually(lambda: value("vonggac_inventory_dead_letters", labels) is None)


@pytest.mark.parametrize("sequence", ["-1", "0", str(2**64), "9" * 30])
async def test_a_place_that_no_letter_can_have_is_no_failure_of_nats(province: Any, sequence: str) -> None:
    async def is_connected() -> bool:
        answer = await province.client.get("/v1/dead-letters")
        return bool(answer.status_code == 200)

    await eventually(is_connected)
    answer = await province.client.post(f"/v1/dead-letters/{sequence}/replay")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), answer.text


async def test_replaying_all_ends_though_what_fails_again_comes_back(bus: Bus) -> None:
    letters, subject = DeadLetters(bus), subjects.worker_heartbeat("forwarder", "w1")
    for _ in range(2):
        await store_unpublished(bus, subject, b"{}", durable="outgoing_forwarder", reason="no event")
    replayed = []
    async for letter in letters.present():
        replayed.append(letter.sequence)
        await letters.replay(letter)
        await store_unpublished(bus, subject, letter.body, durable="outgoing_forwarder", reason="no event")
        assert len(replayed) <= 2
    assert [letter.sequence for letter in await letters.page()] == [number + 2 for number in replayed]


async def test_a_body_is_shown_with_the_right_to_read_people_alone(
    province: Any, bus: Bus, token_for: Callable[[Role], str]
) -> None:
    await camera_with_a_dead_letter(province, bus)
    for role, shown in ((Role.AUTHORITY, True), (Role.SERVICE, False)):
        headers = {"Authorization": f"Bearer {token_for(role)}"}
        answer = await province.client.get("/v1/dead-letters", headers=headers)
        [letter] = answer.json()["items"]
        assert (letter["body"] != "***") is shown
