"""A recording in a loop that somebody disputes: down, unknown from then on, then as another one decides."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from nats.aio.msg import Msg
from services.prober.tests.probes.camera.test_forwarder_probe import annex_b

from vonggac.auth import Role
from vonggac.bus import Bus
from vonggac.events import Cause, subjects
from vonggac.events.inventory import CameraV1, PlannedDelivery
from vonggac.events.prober import DisputeDecision, Verdict
from vonggac.testing import eventually
from vonggac.testing.waiting import flush_all

type Client = httpx.AsyncClient

REASON = {"reason": "I stand before it and see myself move."}
SINCE = (datetime.now(UTC) - timedelta(minutes=5)).replace(microsecond=0)


class Loop:
    """A camera that is forwarded, and what its forwarder says of its keyframes."""

    def __init__(self, bus: Bus, camera: CameraV1, frames: list[list[bytes]]) -> None:
        self._bus, self.camera, self._pictures, self._given = bus, camera, (frames[0], frames[4]), count()
        self.headers = {"repeats_since": SINCE.isoformat(), "repeats_after_s": "20"}
        self.path = f"/v1/cameras/{camera.id}/repetition"

    async def answer(self, request: Msg) -> None:
        headers = {"codec": "h264", "captured_at": datetime.now(UTC).isoformat(), **self.headers}
        number = next(self._given)
        # A moving scene in which no two keyframes are the same bytes (H.264 7.3.2.10, cabac_zero_words).
        picture = self._pictures[number % 2]
        body = annex_b([*picture[:-1], picture[-1] + b"\0\0\3" * (1 + number)])
        await self._bus.client.publish(request.reply, body, headers=headers)

    def end(self, at: datetime) -> None:
        """New keyframes come since then, as the forwarder saw."""
        self.headers = {"new_since": at.isoformat()}


@pytest_asyncio.fixture
async def loop(forwarder_bus: Bus, planner: Any, frames: list[list[bytes]]) -> Loop:
    values = {"id": uuid4(), "destination_id": uuid4(), "destination_code": "D1", "url": "rtsp://10.0.0.9/a"}
    delivery = PlannedDelivery.model_validate(values)
    camera_id = uuid4()
    made = Loop(forwarder_bus, await planner.camera("rtsp://127.0.0.1:1/a", id=camera_id, enabled=False), frames)
    await forwarder_bus.client.subscribe(subjects.camera_keyframe(camera_id), cb=made.answer)
    await flush_all(forwarder_bus.client)
    made.camera = await planner.camera(
        "rtsp://127.0.0.1:1/a", id=camera_id, revision=2, probe_interval_s=1.0, deliveries=(delivery,)
    )
    return made


@pytest.fixture
def as_role(client: Client, token_for: Any) -> Any:
    def become(role: Role, *scope: str) -> Client:
        client.headers["Authorization"] = f"Bearer {token_for(role, *scope)}"
        return client

    return become


async def observed_as(observed: Any, loop: Loop, verdict: Verdict, *, after: datetime | None = None) -> Any:
    def last() -> Any:
        facts = observed.of(loop.camera.id)
        fits = facts and facts[-1].verdict is verdict and (after is None or facts[-1].observed_at > after)
        return facts[-1] if fits else None

    return await eventually(last, within_s=20)


@pytest.mark.parametrize("decision", list(DisputeDecision))
async def test_a_camera_that_repeats_is_unknown_from_the_dispute_until_another_one_decides(
    as_role: Any, loop: Loop, observed: Any, decision: DisputeDecision
) -> None:
    found = await observed_as(observed, loop, Verdict.DOWN)
    assert (found.cause, found.dispute) == (Cause.REPEATS, None)
    operator = as_role(Role.OPERATOR)
    assert (await operator.get(loop.path)).json()["state"] == "found"
    disputed = await operator.put(f"{loop.path}/dispute", json=REASON)
    assert disputed.status_code == 200, disputed.text
    assert (disputed.json()["state"], disputed.json()["disputed_by"]) == ("disputed", "test-operator")
    at = datetime.fromisoformat(disputed.json()["disputed_at"])
    doubted = await observed_as(observed, loop, Verdict.UNKNOWN)
    assert doubted.cause is Cause.REPEATS
    assert doubted.dispute is not None
    assert doubted.dispute.disputed_at == at
    assert "nobody has decided yet" in (doubted.detail or "")
    lead = as_role(Role.PROVINCE_LEAD)
    given = {"decision": decision.value, "reason": "Compared with the guard's telephone."}
    decided = await lead.put(f"{loop.path}/decision", json=given, headers={"If-Match": disputed.headers["ETag"]})
    assert decided.status_code == 200, decided.text
    assert (decided.json()["state"], decided.json()["decided_by"]) == (decision.value, "test-province_lead")
    ruled = await observed_as(
        observed, loop, Verdict.DOWN if decision is DisputeDecision.CONFIRMED else Verdict.UP, after=at
    )
    assert ruled.dispute is not None
    assert ruled.dispute.decision is decision
    # Once is enough: neither of them says anything more of it.
    again = await lead.put(f"{loop.path}/decision", json=given, headers={"If-Match": decided.headers["ETag"]})
    assert (again.status_code, again.json()["code"]) == (409, "decided_already")
    once_more = await lead.put(f"{loop.path}/dispute", json=REASON)
    assert (once_more.status_code, once_more.json()["code"]) == (409, "disputed_already")
    # New keyframes end it, and what repeats from then on is found anew.
    end = datetime.now(UTC)
    loop.end(end)
    over = await eventually(lambda: _ended(observed, loop), within_s=20)
    assert over.dispute.ended_at == end
    loop.headers = {"repeats_since": datetime.now(UTC).isoformat(), "repeats_after_s": "20"}
    await observed_as(observed, loop, Verdict.DOWN, after=over.observed_at)
    assert (await lead.get(loop.path)).json()["state"] == "found"


def _ended(observed: Any, loop: Loop) -> Any:
    last = observed.of(loop.camera.id)[-1]
    return last if last.dispute is not None and last.dispute.ended_at is not None else None


async def test_a_camera_that_repeats_no_more_ends_its_dispute_undecided(
    as_role: Any, loop: Loop, observed: Any
) -> None:
    await observed_as(observed, loop, Verdict.DOWN)
    operator = as_role(Role.OPERATOR)
    await operator.put(f"{loop.path}/dispute", json=REASON)
    await observed_as(observed, loop, Verdict.UNKNOWN)
    # A forwarder that is new to the camera has found nothing yet: that ends no dispute.
    loop.headers = {}
    forgotten = await observed_as(observed, loop, Verdict.UP)
    assert forgotten.dispute is not None
    assert forgotten.dispute.ended_at is None
    loop.end(datetime.now(UTC))
    await eventually(lambda: _ended(observed, loop), within_s=20)
    lead, given = as_role(Role.PROVINCE_LEAD), {"decision": "refused", "reason": "It moves."}
    late = await lead.put(f"{loop.path}/decision", json=given, headers={"If-Match": "*"})
    assert (late.status_code, late.json()["code"]) == (409, "not_disputed")


async def test_nobody_decides_a_dispute_that_a_camera_repeats_of_his_own_nor_an_unread_one(
    as_role: Any, loop: Loop, observed: Any
) -> None:
    await observed_as(observed, loop, Verdict.DOWN)
    lead = as_role(Role.PROVINCE_LEAD)
    disputed = await lead.put(f"{loop.path}/dispute", json=REASON)
    given = {"decision": "refused", "reason": "It moves."}
    tag = {"If-Match": disputed.headers["ETag"]}
    own = await lead.put(f"{loop.path}/decision", json=given, headers=tag)
    assert (own.status_code, own.json()["code"]) == (403, "own_dispute")
    assert (await lead.put(f"{loop.path}/decision", json=given)).status_code == 428
    assert (await lead.put(f"{loop.path}/decision", json=given, headers={"If-Match": '"0"'})).status_code == 412
    operator = as_role(Role.OPERATOR)
    assert (await operator.put(f"{loop.path}/decision", json=given, headers=tag)).status_code == 403
    facility = as_role(Role.FACILITY, f"facility:{uuid4()}")
    assert (await facility.get(loop.path)).status_code == 404
    assert (await facility.put(f"{loop.path}/dispute", json=REASON)).status_code == 404


async def test_of_two_who_dispute_that_a_camera_repeats_one_is_first(as_role: Any, loop: Loop, observed: Any) -> None:
    await observed_as(observed, loop, Verdict.DOWN)
    operator = as_role(Role.OPERATOR)
    answers = await asyncio.gather(*(operator.put(f"{loop.path}/dispute", json=REASON) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_there_is_nothing_to_dispute_at_a_camera_that_repeats_nothing(
    as_role: Any, loop: Loop, observed: Any
) -> None:
    loop.headers = {}
    await observed_as(observed, loop, Verdict.UP)
    operator = as_role(Role.OPERATOR)
    answer = await operator.put(f"{loop.path}/dispute", json=REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_repeating")
    assert (await operator.get(loop.path)).status_code == 404
    assert (await operator.get(f"/v1/cameras/{uuid4()}/repetition")).status_code == 404
    assert (await operator.put(f"{loop.path}/dispute", json={"reason": " "})).status_code == 422
    reader = as_role(Role.READER)
    assert (await reader.put(f"{loop.path}/dispute", json=REASON)).status_code == 403
