"""One clock for many cameras."""

from collections import Counter

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
