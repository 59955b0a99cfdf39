"""Reporting's account of every camera and delivery, second by second, by its own report of ever shorter periods.

A report says how many milliseconds of its period a camera was up and a delivery connected, never when. So the period is
halved until nothing changes in it or it is a second long. Of two verdicts in a second, that of the second before comes
first: where there is one change, it is dated to the millisecond.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from bench.truth.comparison import Stretch
from bench.truth.record import Gap, Thing
from local.apis.inventory import call

CELL_MS = 1000
WITHIN_S = 60.0
CAMERA = {"up": "good", "down": "bad"}
DELIVERY = {"connected": "good", "not_connected": "bad"}

type Seconds = Mapping[str, int]
"""Milliseconds by verdict, without those of none."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What was reported of each line in [start_ms, end_ms) since 1970."""

    start_ms: int
    end_ms: int
    lines: Mapping[Thing, Seconds]

    @property
    def is_pure(self) -> bool:
        """Whether nothing changes in it."""
        return all(len(line) == 1 for line in self.lines.values())


def cell(start_ms: int, end_ms: int, document: Mapping[str, Any]) -> Cell:
    """Of a compliance document."""
    lines: dict[Thing, Seconds] = {}
    for camera in document["cameras"]:
        seconds = camera["seconds"]
        parts = {name: seconds[name] for name in ("up", "down", "maintenance", "unknown", "out_of_scope")}
        lines[camera["code"], "camera"] = _verdicts(parts, CAMERA)
        for delivery in camera["deliveries"]:
            lines[camera["code"], delivery["destination"]["role"]] = _verdicts(delivery["seconds"], DELIVERY)
    return Cell(start_ms, end_ms, lines)


def stretches(cells: Sequence[Cell], thing: Thing) -> list[Stretch]:
    """A line of the cells, which follow each other."""
    result: list[Stretch] = []
    for number, one in enumerate(cells):
        before = result[-1].verdict if result else None
        after = next(iter(cells[number + 1].lines[thing])) if number + 1 < len(cells) else None
        start_ms = one.start_ms
        for verdict in sorted(one.lines[thing], key=lambda each: (each != before, each == after)):
            end_ms = start_ms + one.lines[thing][verdict]
            if result and result[-1].verdict == verdict:
                result[-1] = Stretch(result[-1].start, end_ms / 1000, verdict)
            else:
                result.append(Stretch(start_ms / 1000, end_ms / 1000, verdict))
            start_ms = end_ms
    return result


class Account:
    """Asks reporting; every method raises RefusedError."""

    def __init__(self, address: str, token: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {token}"},
            timeout=WITHIN_S,
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def lines(self, period: Gap) -> dict[Thing, list[Stretch]]:
        """Every camera and delivery."""
        cells = await self._cells(round(period.start * 1000), round(period.end * 1000))
        return {thing: stretches(cells, thing) for thing in cells[0].lines}

    async def words(self, period: Gap) -> dict[Thing, list[Stretch]]:
        """What was said of each line at the time, in its states and causes: no account, but it explains one."""
        document, found = await self._report(period.start, period.end), dict[Thing, list[Stretch]]()
        for camera in document["cameras"]:
            found[camera["code"], "camera"] = await self._states(f"/v1/cameras/{camera['id']}/intervals", period)
            for one in camera["deliveries"]:
                path = f"/v1/deliveries/{one['id']}/intervals"
                found[camera["code"], one["destination"]["role"]] = await self._states(path, period)
        return found

    async def non_compliant_s(self, period: Gap) -> float:
        """Seconds of all cameras."""
        document = await self._report(period.start, period.end)
        return float(sum(camera["seconds"]["non_compliant"] for camera in document["cameras"]))

    async def lost_facts(self) -> int:
        """Facts that were published and never came."""
        answer = await call(self._client, "GET", "/v1/lost-facts", params={"limit": 200})
        return sum(gap["last"] - gap["first"] + 1 for gap in answer["items"])

    async def _cells(self, start_ms: int, end_ms: int) -> list[Cell]:
        found = cell(start_ms, end_ms, await self._report(start_ms / 1000, end_ms / 1000))
        if found.is_pure or end_ms - start_ms <= CELL_MS:
            return [found]
        middle_ms = (start_ms + end_ms) // 2
        return [*await self._cells(start_ms, middle_ms), *await self._cells(middle_ms, end_ms)]

    async def _report(self, start: float, end: float) -> Any:
        return await call(self._client, "GET", "/v1/compliance", params={"from": _moment(start), "to": _moment(end)})

    async def _states(self, path: str, period: Gap) -> list[Stretch]:
        asked = {"from": _moment(period.start), "to": _moment(period.end)}
        answer = await call(self._client, "GET", path, params=asked)
        return [_state(one) for one in answer["intervals"]]


def _verdicts(seconds: Mapping[str, float], names: Mapping[str, str]) -> Seconds:
    found: dict[str, int] = {}
    for name, length in seconds.items():
        verdict, length_ms = names.get(name, "unknown"), round(length * 1000)
        if length_ms:
            found[verdict] = found.get(verdict, 0) + length_ms
    return found


def _state(interval: Mapping[str, Any]) -> Stretch:
    start, end = (datetime.fromisoformat(interval[name]).timestamp() for name in ("start", "end"))
    return Stretch(start, end, interval["state"], f"{interval['state']} {interval.get('cause') or ''}".strip())


def _moment(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds")
