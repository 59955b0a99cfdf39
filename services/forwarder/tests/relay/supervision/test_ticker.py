"""One clock for many cameras."""

import asyncio
from collections import Counter
from functools import partial

from forwarder.relay.supervision.ticker import GROUPS, Ticker
from vonggac.testing import eventually


async def test_everyone_is_called_equally_often() -> None:
    ticker, calls = Ticker(interval_s=0.08), Counter[int]()

    def tick_of(number: int) -> None:
        def tick() -> None:
            calls[number] += 1

        ticker.add(tick)

    for number in range(3 * GROUPS):
        tick_of(number)
    await eventually(lambda: calls[0] >= 5)
    assert len(calls) == 3 * GROUPS
    assert max(calls.values()) - min(calls.values()) <= 1


async def test_one_may_leave_while_it_is_called_and_the_others_go_on() -> None:
    ticker, calls = Ticker(interval_s=0.04), Counter[str]()

    def leaves() -> None:
        calls["leaves"] += 1
        ticker.remove(leaves)

    def stays() -> None:
        calls["stays"] += 1

    ticker.add(leaves)
    ticker.add(stays)
    await eventually(lambda: calls["stays"] >= 3)
    assert calls["leaves"] == 1
    ticker.remove(stays)
    ticker.remove(stays)


async def test_alarms_ring_once_in_their_order_and_at_most_a_step_early() -> None:
    ticker, rung = Ticker(interval_s=0.4), list[tuple[str, float]]()
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    def ring(name: str) -> None:
        rung.append((name, loop.time() - began_s))

    for name, delay_s in (("late", 0.3), ("soon", 0.0), ("early", 0.15)):
        ticker.call_by(delay_s, partial(ring, name))
    await eventually(lambda: len(rung) == 3)
    assert [name for name, _ in rung] == ["soon", "early", "late"]
    # Up to an eighth of the interval early, and the clock of the loop counts milliseconds.
    assert rung[1][1] >= 0.09
    assert rung[2][1] >= 0.24


async def test_a_cancelled_alarm_does_not_ring() -> None:
    ticker, rung = Ticker(interval_s=0.04), list[str]()
    ticker.call_by(0.0, lambda: rung.append("cancelled")).cancel()
    ticker.call_by(0.02, lambda: rung.append("rung"))
    await eventually(lambda: bool(rung))
    assert rung == ["rung"]
