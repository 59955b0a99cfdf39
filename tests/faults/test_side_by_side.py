"""Two of every service side by side: they share the work, give the same answers, and either may be killed."""

import httpx
import pytest
from tests.e2e.platform import Json, RunningPlatform

from local.platform.environment import RECORD_KEEPERS, SERVICES, WORKERS
from local.platform.platform import wait_ready
from vonggac.testing import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(300)]

SHARED_WITHIN_S = 60


async def answer_of(address: str, path: str, token: str) -> Json:
    """What one process answers."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=20, trust_env=False) as client:
        answer = await client.get(path)
    assert answer.is_success, answer.text
    return dict(answer.json())


async def test_two_of_every_service_share_the_work_and_either_may_be_killed(running: RunningPlatform) -> None:
    document = await running.truth()
    second: dict[str, str] = {}
    for service in SERVICES:
        child, second[service] = await running.platform.start_another(service)
        running.others.append(child)

    async def two_of_each_worker() -> bool:
        for service in WORKERS:
            workers = (await running.get(service, "/v1/workers"))["items"]
            assert len(workers) == 2, service
        return True

    await eventually(two_of_each_worker, within_s=SHARED_WITHIN_S, poll_s=0.5)

    # What one inventory writes, the other reads; both reportings read the same numbers.
    period = f"from={document['period']['from']}&to={document['period']['to']}".replace("+", "%2B")
    for service, path in (("inventory", "/v1/cameras?limit=100&sort=code"), ("reporting", f"/v1/overview?{period}")):
        one, other = await running.get(service, path), await answer_of(second[service], path, running.token)
        for varying in ("generated_at", "as_of"):
            one.pop(varying, None)
            other.pop(varying, None)
        assert one == other

    for service in (*WORKERS, *RECORD_KEEPERS):
        first = running.take_out(service)
        first.kill()
        await first.stop(within_s=5)
        first.start()
        await wait_ready(getattr(running.platform.addresses, service), within_s=SHARED_WITHIN_S, child=first)
        running.put_back(first)
    await eventually(two_of_each_worker, within_s=SHARED_WITHIN_S, poll_s=0.5)
    await running.truth(within_s=120)
    await running.nothing_observed_is_lost()
