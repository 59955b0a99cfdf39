"""What the console's pages cost before a large province: `python -m bench.reporting.console`.

A seeded province fills a real PostgreSQL; reporting, the issuer and the console run as processes of their own, as on a
platform. A person signs in and reads pages while 200 streams of the present are open. Prints a table and one JSON line;
exit status 1 when a target is missed. Ages, axe and scripts are the business of `make test-browser`.
"""

import argparse
import asyncio
import gzip
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin

import httpx
import psutil
from pydantic import SecretStr

from bench.reporting.report import write_ledger
from bench.reporting.simulated_province import fill
from reporting.migrations import SCRIPTS
from reporting.settings import Settings
from vonggac.auth import Role
from vonggac.auth.keys import JWKS, ensure_keys, token_issuer
from vonggac.bus import Bus
from vonggac.bus.declared import topology
from vonggac.database import migrate
from vonggac.embedded import NatsServer, PostgresServer, free_port
from vonggac.testing.fixtures import NatsAt

TARGETS = {
    "ttfb_p95_ms": 150.0,
    "filter_p95_ms": 300.0,
    "page_kb": 150.0,
    "page_kb_gzip": 40.0,
    "sse_200_cpu_pct": 1.0,
    "live_20_cpu_pct": 3.0,
    "present_diff": 0.0,
}
"""Upper bounds of issue and docs."""
PAGES = ("/", "/facilities", "/cameras", "/deliveries", "/wall")
FILTERS = ("/cameras?state=down", "/cameras?q=hanh+lang+123", "/facilities?q=co+so+7", "/cameras?connected=none")
WARM_UP, ROUNDS = 2, 20
QUIET_S, WATCHED_S = 10.0, 30.0
STREAMS, LIVE = 200, 20
PAIRS, OPENED_WITHIN_S = 5, 2.0
"""Pairs of a quiet and a watched stretch; what it takes to open the streams is not counted."""
READY_WITHIN_S = 300.0
SETTLED_WITHIN_S, SETTLED_PCT = 90.0, 1.0
"""Two shares of a core that differ by no more, one after the other, are those of a service that has nothing to do."""


@contextmanager
def process(module: str, prefix: str, **settings: object) -> Iterator[psutil.Process]:
    """`python -m module` with settings from its environment, until the end of the block."""
    given = {f"VONGGAC_{prefix}_{name.upper()}": str(value) for name, value in settings.items()}
    started = subprocess.Popen([sys.executable, "-m", module], env={**os.environ, **given})
    try:
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait(timeout=60)


@contextmanager
def processes(
    nats: NatsServer, database: str, keys: Path, ports: Mapping[str, int]
) -> Iterator[tuple[psutil.Process, psutil.Process]]:
    """Run reporting, the issuer and the console; the first and the last of them until the end of the block."""
    at = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}

    def on_nats(name: str) -> dict[str, object]:
        bus = {"nats_url": nats.url, "nats_user": name, "nats_password_file": nats.password_file(name)}
        return {"port": ports[name], "log_level": "error", **bus}

    of_reporting = {"database_url": database, "jwks_file": keys / JWKS, "time_zone": "Asia/Ho_Chi_Minh"}
    of_console = {"base_url": at["console"], "oidc_issuer": at["issuer"], "reporting_url": at["reporting"]}
    with (
        process("reporting", "REPORTING", **on_nats("reporting"), **of_reporting) as reporting,
        process("local.issuer", "ISSUER", port=ports["issuer"], keys=keys, console_url=at["console"]),
        process("console", "CONSOLE", **on_nats("console"), **of_console, inventory_url=at["nobody"]) as console,
    ):
        yield reporting, console


async def wait_for(client: httpx.AsyncClient, url: str) -> None:
    """Ask until it answers 200. Raises SystemExit after five minutes."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if (await client.get(url)).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.5)
    sys.exit(f"bench: {url} does not answer")


async def sign_in(client: httpx.AsyncClient, console: str, who: str = "chủ trì") -> None:
    """Choose a person at the issuer, as a browser does; the client then has the session's cookie."""
    people = await client.get(console, follow_redirects=True)
    links = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>\s*([^<]*)', people.text)
    address = next((href for href, words in links if who in words), None)
    if address is None:
        sys.exit(f"bench: the issuer offers nobody with {who!r}: {people.text[:300]}")
    landed = await client.get(urljoin(str(people.url), address.replace("&amp;", "&")), follow_redirects=True)
    landed.raise_for_status()


async def read_page(client: httpx.AsyncClient, url: str) -> tuple[float, int, int]:
    """Return milliseconds to the first byte, and kB of the page, plain and compressed."""
    started = time.perf_counter()
    async with client.stream("GET", url) as answer:
        if answer.status_code != httpx.codes.OK:
            sys.exit(
                f"bench: {url} answered {answer.status_code}: the machine is too busy to measure, or a part is away"
            )
        first_ms = 1000 * (time.perf_counter() - started)
        body = await answer.aread()
    return first_ms, len(body), len(gzip.compress(body, 6))


async def measure_pages(client: httpx.AsyncClient, console: str) -> dict[str, float]:
    """Read each page and each filter some twenty times, in turns."""
    times: dict[str, list[float]] = {path: [] for path in (*PAGES, *FILTERS)}
    largest, largest_gzip = 0, 0
    for turn in range(WARM_UP + ROUNDS):
        for path, measured in times.items():
            first_ms, plain, packed = await read_page(client, console + path)
            largest, largest_gzip = max(largest, plain), max(largest_gzip, packed)
            if turn >= WARM_UP:
                measured.append(first_ms)
    for path, measured in times.items():
        print(f"{path:32} {statistics.median(measured):7.0f} ms median {quantile(measured):7.0f} ms p95")
    return {
        "ttfb_p95_ms": max(quantile(times[path]) for path in PAGES),
        "filter_p95_ms": max(quantile(times[path]) for path in FILTERS),
        "page_kb": largest / 1000,
        "page_kb_gzip": largest_gzip / 1000,
    }


def quantile(measured: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(measured, n=20)[-1]


@asynccontextmanager
async def streams(client: httpx.AsyncClient, url: str, number: int) -> AsyncIterator[None]:
    """Keep so many event streams open, each read as it comes."""

    async def read() -> None:
        async with client.stream("GET", url, timeout=None) as answer:
            answer.raise_for_status()
            opened.release()
            async for _ in answer.aiter_bytes():
                pass

    opened = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(read()) for _ in range(number)]
    try:
        for _ in tasks:
            await asyncio.wait_for(opened.acquire(), 60)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def cpu_pct(one: psutil.Process, seconds: float) -> float:
    """Return the share of a core that a process takes over some seconds, in percent."""
    before, started = sum(one.cpu_times()[:2]), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (sum(one.cpu_times()[:2]) - before) / (time.monotonic() - started)


async def settle(one: psutil.Process) -> float:
    """Wait until what a start makes is made, and return the share of a core that is taken then, in percent."""
    deadline, taken = time.monotonic() + SETTLED_WITHIN_S, 100.0
    while time.monotonic() < deadline:
        before, taken = taken, await cpu_pct(one, QUIET_S)
        if abs(taken - before) <= SETTLED_PCT:
            break
    return taken


async def measure_streams(one: psutil.Process, caller: httpx.AsyncClient, url: str) -> float:
    """Return the share of a core that open streams take, in percent: the median of some pairs with and without them.

    The service works besides, in bursts: a check of a sixtieth of all cameras each ten seconds, facilities as often. So
    each part of a pair is as long as such a round, and one burst more does not count as the streams'.
    """
    differences = []
    for _ in range(PAIRS):
        without = await cpu_pct(one, QUIET_S)
        async with streams(caller, url, STREAMS):
            await asyncio.sleep(OPENED_WITHIN_S)
            differences.append(await cpu_pct(one, QUIET_S) - without)
    print("200 streams, % of a core, pair by pair:", *(f"{each:.2f}" for each in differences))
    return max(0.0, statistics.median(differences))


async def measure(arguments: argparse.Namespace, folder: Path, nats: NatsServer, database: str) -> dict[str, float]:
    """All figures of one run."""
    bus = await Bus.connect(NatsAt(nats.url), name="bench")
    await topology.declare(bus.js)
    await bus.close()
    keys = folder / "keys"
    ports = {name: free_port() for name in ("reporting", "issuer", "console", "nobody")}
    at = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    issued = token_issuer(keys).issue(
        subject="bench", roles=frozenset({Role.AUTHORITY, Role.PROVINCE_LEAD}), valid_for=timedelta(hours=2)
    )
    limits = httpx.Limits(max_connections=STREAMS + LIVE + 20)
    async with AsyncExitStack() as stack:
        reporting, console = stack.enter_context(processes(nats, database, keys, ports))
        person = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60, limits=limits))
        caller = await stack.enter_async_context(
            httpx.AsyncClient(trust_env=False, timeout=60, limits=limits, headers={"Authorization": f"Bearer {issued}"})
        )
        await wait_for(caller, f"{at['reporting']}/v1/present")
        await wait_for(person, f"{at['console']}/readyz")
        await sign_in(person, at["console"])
        result: dict[str, float] = {"cameras": arguments.cameras}
        await settle(reporting)
        result["sse_200_cpu_pct"] = await measure_streams(reporting, caller, f"{at['reporting']}/v1/present/events")
        async with streams(caller, f"{at['reporting']}/v1/present/events", STREAMS):
            result |= await measure_pages(person, at["console"])
        quiet = await cpu_pct(console, QUIET_S)
        async with streams(person, f"{at['console']}/live", LIVE):
            result["live_20_cpu_pct"] = max(0.0, await cpu_pct(console, WATCHED_S) - quiet)
        metrics = (await caller.get(f"{at['reporting']}/metrics")).text
        found = re.search(r"^vonggac_reporting_present_differences(?:_total)? (\S+)$", metrics, re.MULTILINE)
        result["present_diff"] = float(found[1]) if found else -1.0
    return {name: round(value, 2) for name, value in result.items()}


def main() -> None:
    """Measure once. Exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=20_000)
    parser.add_argument("--days", type=int, default=3, help="days of history, up to now")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vonggac-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres, nats = PostgresServer(folder / "pg", free_port()), NatsServer(folder / "nats", free_port())
        postgres.start()
        nats.start()
        try:
            postgres.create_database("reporting")
            migrate(SCRIPTS, postgres.url("reporting"))
            now = datetime.now(UTC).replace(microsecond=0)
            fill(postgres.url("reporting"), arguments.cameras, arguments.days, now)
            ensure_keys(folder / "keys")
            settings = Settings(database_url=SecretStr(postgres.url("reporting")), jwks_file=folder / "keys" / JWKS)
            asyncio.run(write_ledger(settings, now))
            result = asyncio.run(measure(arguments, folder, nats, postgres.url("reporting")))
        finally:
            nats.stop()
            postgres.stop()
    missed = [name for name, bound in TARGETS.items() if not 0 <= result[name] <= bound]
    for name in missed:
        print(f"does not hold: {name} is {result[name]}; it must be at most {TARGETS[name]:g}")
    print(json.dumps(result))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
