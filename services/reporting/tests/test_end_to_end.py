"""From events on the bus to the report at the API, also when things fail on the way."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from reporting.api.compliance_schemas import ComplianceReport
from reporting.domain.instants import millis
from reporting.domain.segments import Period
from reporting.ingest.cleanup import keep_house
from reporting.migrations import SCRIPTS
from reporting.storage import plan
from vonggac.auth.keys import JWKS
from vonggac.bus import Bucket, Outgoing
from vonggac.bus.dead_letters import REASON_HEADER
from vonggac.bus.declared import topology
from vonggac.database import Database, migrate
from vonggac.embedded import NatsServer, PostgresServer, free_port
from vonggac.events import subjects
from vonggac.testing import eventually

if TYPE_CHECKING:
    from services.reporting.tests.conftest import Client, Start
    from services.reporting.tests.stage.province import Province

    from reporting.settings import Settings
    from vonggac.bus import Bus
    from vonggac.events import CloudEvent, Payload
    from vonggac.events.inventory import CameraV1

PERIOD_END = datetime(2026, 11, 24, 12, tzinfo=UTC)
PERIOD = {"from": (PERIOD_END - timedelta(hours=1)).isoformat(), "to": PERIOD_END.isoformat()}


async def report(client: Client, **parameters: str) -> dict[str, Any]:
    answer = await client.get("/v1/compliance", params=parameters)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    ComplianceReport.model_validate(document)
    return document


def an_hour(province: Province, camera: CameraV1) -> list[CloudEvent[Payload]]:
    """What is observed of a camera that is down for a quarter of an hour."""
    start, down, up_again = (PERIOD_END - timedelta(minutes=count) for count in (60, 40, 25))
    facts = province.probes(camera, start, down) + province.probes(camera, down, up_again, "down", cause="timeout")
    facts += province.probes(camera, up_again, PERIOD_END)
    for planned in camera.deliveries:
        facts.append(province.change(planned, camera, 1, start, "acknowledged"))
        facts.append(province.change(planned, camera, 2, down, "waiting_for_camera", cause="timeout"))
        facts.append(province.change(planned, camera, 3, up_again, "acknowledged"))
    return [*facts, *province.watched(PERIOD_END)]


async def handled(bus: Bus) -> bool:
    """Whether both consumers have nothing left to do."""
    for stream, durable in (
        (topology.INVENTORY, topology.REPORTING_INVENTORY),
        (topology.OBSERVATIONS, topology.REPORTING_OBSERVATIONS),
    ):
        info = await bus.js.consumer_info(stream, durable)
        if info.num_pending or info.num_ack_pending:
            return False
    return True


def check_the_hour(document: dict[str, Any]) -> None:
    line = document["cameras"][0]
    assert line["seconds"]["down"] == 900.0
    assert (line["seconds"]["compliant"], line["seconds"]["non_compliant"]) == (2700.0, 900.0)
    assert line["availability"]["measured_percent"] == 75.0
    assert line["deliveries"][0]["not_connected_by_cause"] == {"timeout": 900.0}


async def test_a_camera_with_both_deliveries_acknowledged_is_reported_connected(
    client: Client, bus: Bus, province: Province
) -> None:
    camera, now = province.camera(), datetime.now(UTC)
    start = now - timedelta(minutes=10)
    outgoing = Outgoing(bus)
    sending = asyncio.create_task(outgoing.run())
    events = [*province.base(), province.stated("camera", camera), *province.probes(camera, start, now)]
    events += [province.change(planned, camera, 1, start, "acknowledged") for planned in camera.deliveries]
    for event in [*events, *province.watched(now)]:
        outgoing.queue_event(province.subject(event), event)
    assert await outgoing.drain(within_s=10) == 0
    sending.cancel()
    await eventually(lambda: handled(bus))
    document = await report(client)
    assert document["totals"]["cameras"]["both"] == 1
    line = document["cameras"][0]
    assert (line["state"], line["cause"], line["compliant"]) == ("up", None, True)
    assert [one["state"] for one in line["deliveries"]] == ["acknowledged", "acknowledged"]
    assert (await client.get("/readyz")).json()["status"] == "ready"
    assert "vonggac_reporting_events_total" in (await client.get("/metrics")).text


async def test_a_read_back_that_is_no_fact_is_shown_and_not_accounted(
    client: Client, bus: Bus, province: Province
) -> None:
    camera, now = province.camera(), datetime.now(UTC)
    await province.publish(bus, *province.base(), province.stated("camera", camera))
    await eventually(lambda: handled(bus))
    planned = camera.deliveries[0]
    event = province.read_back(planned, camera, now, delay_s=0.5)
    live = event.data.model_copy(update={"is_fact": False})
    await Bucket(bus, topology.VERIFICATIONS).put(str(planned.id), live.model_dump_json().encode())

    async def is_shown() -> bool:
        deliveries = (await report(client))["cameras"][0]["deliveries"]
        return [(one["delay_s"], one["seconds"]["connected"]) for one in deliveries] == [(0.5, 0), (None, 0)]

    await eventually(is_shown)


async def test_observations_may_come_before_their_camera(client: Client, bus: Bus, province: Province) -> None:
    camera = province.camera()
    await province.publish(bus, *an_hour(province, camera))
    await eventually(lambda: handled(bus))
    await province.publish(bus, province.stated("camera", camera), *province.base())
    await eventually(lambda: handled(bus))
    check_the_hour(await report(client, **PERIOD))


async def test_redelivered_events_change_nothing(client: Client, bus: Bus, province: Province) -> None:
    camera = province.camera()
    events = [*province.base(), province.stated("camera", camera), *an_hour(province, camera)]
    await province.publish(bus, *events)
    for event in events:  # without the id that lets the server drop them
        await bus.js.publish(province.subject(event), event.encode())
    await eventually(lambda: handled(bus))
    check_the_hour(await report(client, **PERIOD))


async def test_a_poisonous_event_is_kept_as_a_dead_letter_while_the_others_go_on(
    client: Client, bus: Bus, province: Province
) -> None:
    camera = province.camera()
    await province.publish(bus, *province.base(), province.stated("camera", camera))
    await bus.js.publish(subjects.camera_observation("poison"), b'{"specversion": "1.0", "type": "nonsense"}')
    await province.publish(bus, *an_hour(province, camera))
    await eventually(lambda: handled(bus))
    check_the_hour(await report(client, **PERIOD))
    letter = await bus.js.get_msg(topology.DEAD_LETTERS, seq=1)
    assert letter.headers is not None
    assert "Field required" in letter.headers[REASON_HEADER]


async def test_reporting_that_was_down_catches_up(start: Start, bus: Bus, province: Province) -> None:
    camera = province.camera()
    facts = an_hour(province, camera)
    async with start():
        await province.publish(bus, *province.base(), province.stated("camera", camera), *facts[:50])
        await eventually(lambda: handled(bus))
    await province.publish(bus, *facts[50:])
    async with start() as client:
        await eventually(lambda: handled(bus))
        check_the_hour(await report(client, **PERIOD))


@asynccontextmanager
async def own_postgres(folder: Path) -> AsyncIterator[PostgresServer]:
    server = PostgresServer(folder / "postgres", free_port(), durable=False)
    server.start()
    server.create_database("reporting")
    migrate(SCRIPTS, server.url("reporting"))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def reachable(servers_folder: Path) -> Path:
    folder = servers_folder / "restarted"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


async def test_a_restart_of_postgresql_loses_nothing(
    start: Start, settings: Settings, bus: Bus, province: Province, reachable: Path
) -> None:
    camera = province.camera()
    facts = an_hour(province, camera)
    async with own_postgres(reachable) as server:
        url = SecretStr(server.url("reporting"))
        async with start(settings.model_copy(update={"database_url": url, "ingest_batch": 10})) as client:
            await province.publish(bus, *province.base(), province.stated("camera", camera), *facts[:60])
            server.stop()
            await eventually(lambda: unready(client, "database"))
            await province.publish(bus, *facts[60:])
            server.start()
            await eventually(lambda: handled(bus), within_s=30)
            check_the_hour(await report(client, **PERIOD))


async def unready(client: Client, check: str) -> bool:
    return check in (await client.get("/readyz")).json()["failures"]


async def test_without_tables_the_service_waits_and_says_so(
    start: Start, settings: Settings, bus: Bus, database_url: str
) -> None:
    async with start(settings.model_copy(update={"database_url": SecretStr(database_url)})) as client:
        failures = (await client.get("/readyz")).json()["failures"]
        assert "python -m reporting migrate" in failures["migrations"]
        await asyncio.to_thread(migrate, SCRIPTS, database_url)

        async def ready() -> bool:
            return bool((await client.get("/readyz")).status_code == 200)

        await eventually(ready)


async def test_housekeeping_forgets_old_inbox_rows_and_nothing_else(
    database: Database, settings: Settings, ingest: Any, province: Province
) -> None:
    camera = province.camera()
    await province.feed(ingest, *province.base(), province.stated("camera", camera), *an_hour(province, camera))
    await keep_house(database, settings, datetime.now(UTC) + timedelta(days=2))
    await province.feed(ingest, *an_hour(province, camera))
    async with database.transaction() as session:
        period = Period(millis(PERIOD_END) - 3_600_000, millis(PERIOD_END))
        assert len(await plan.cameras(session, await plan.places(session, plan.Scope(), period))) == 1


async def test_the_process_migrates_serves_and_stops_in_order(
    bus: Bus, nats_server: NatsServer, database_url: str, keys_folder: Path, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "reporting.log"
    environment = {
        "VONGGAC_REPORTING_DATABASE_URL": database_url,
        "VONGGAC_REPORTING_NATS_URL": nats_server.url,
        "VONGGAC_REPORTING_NATS_USER": "reporting",
        "VONGGAC_REPORTING_NATS_PASSWORD_FILE": str(nats_server.password_file("reporting")),
        "VONGGAC_REPORTING_JWKS_FILE": str(keys_folder / JWKS),
        "VONGGAC_REPORTING_PORT": str(port),
    }
    command = [sys.executable, "-m", "reporting"]
    migrated = await asyncio.create_subprocess_exec(*command, "migrate", env=environment, stderr=subprocess.DEVNULL)
    assert await migrated.wait() == 0
    with log.open("wb") as errors:
        serving = await asyncio.create_subprocess_exec(*command, env=environment, stderr=errors)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as caller:

            async def ready() -> bool:
                try:
                    return (await caller.get("/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(ready, within_s=30)
        serving.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(serving.wait(), 15) in {0, -signal.SIGTERM}
    finally:
        if serving.returncode is None:
            serving.kill()
            await serving.wait()
    said = log.read_text("utf-8")
    assert "reporting_feeding" in said
    assert "reporting_stopped" in said
    assert str(make_url(database_url).password) not in said


@pytest.mark.server
def test_a_bad_setting_stops_the_start_with_its_name() -> None:
    environment = {"VONGGAC_REPORTING_PORT": "many", "VONGGAC_REPORTING_DATABASE_URL": "postgresql+psycopg://x"}
    ended = subprocess.run(
        [sys.executable, "-m", "reporting"], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "VONGGAC_REPORTING_PORT" in ended.stderr
