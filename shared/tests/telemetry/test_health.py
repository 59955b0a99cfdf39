"""Readiness is answered in time, whatever hangs."""

import asyncio

from vonggac.telemetry.health import Health


async def test_a_check_that_hangs_is_a_failure_in_time_and_is_made_once_until_it_ends() -> None:
    health, release, made = Health(within_s=0.05), asyncio.Event(), []

    async def hang() -> str | None:
        made.append("hang")
        await release.wait()
        return None

    async def fail() -> str | None:
        return "no disk"

    health.add("database", hang)
    health.add("disk", fail)
    health.add("clock", hang, degrades=True)
    for _ in range(3):
        assert await health.failures() == {"database": "no answer within 0.05 s", "disk": "no disk"}
    assert await health.degradations() == {"clock": "no answer within 0.05 s"}
    assert made == ["hang", "hang"]
    release.set()
    assert await health.failures() == {"disk": "no disk"}
    assert await health.degradations() == {}
