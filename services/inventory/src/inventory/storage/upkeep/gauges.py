"""What the register says of the platform, for alerts: cameras that shall be forwarded, and the last backup."""

import asyncio
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.metrics import Metrics
from inventory.storage.tables import Backup
from vonggac.database import Database
from vonggac.events.inventory import OUT_OF_SERVICE
from vonggac.telemetry import get_logger

log = get_logger(__name__)


_WANTED = text("""
    with agreed as (
        select plan.facility_id, one ->> 'camera_code' as camera_code, destination_code
        from connection_plans as plan, jsonb_array_elements(plan.connections) as one,
             jsonb_array_elements_text(one -> 'destination_codes') as destination_code
        where plan.status = 'agreed'
    )
    select count(distinct camera.id)
    from cameras as camera
    join facilities as facility on facility.id = camera.facility_id
    join deliveries as delivery on delivery.camera_id = camera.id
    join destinations as destination on destination.id = delivery.destination_id
    left join agreed on agreed.facility_id = facility.id and agreed.camera_code = camera.code
                    and agreed.destination_code = destination.code
    left join plan_exceptions as exception on exception.facility_id = facility.id
    where camera.enabled and delivery.enabled and destination.enabled and facility.status <> all (:out_of_service)
      and (agreed.facility_id is not null or exception.id is not null)
""")


async def count_wanted_cameras(session: AsyncSession) -> int:
    """How many cameras have a delivery that shall run: as `CameraV1.forwarded` says, without making their messages."""
    count = await session.scalar(_WANTED, {"out_of_service": sorted(OUT_OF_SERVICE)})
    return int(count or 0)


async def last_backup(session: AsyncSession) -> datetime | None:
    """When the last complete backup ended; None: there is none."""
    return await session.scalar(select(func.max(Backup.finished_at)))


async def measure_register(database: Database, metrics: Metrics, *, every_s: float) -> None:
    """Keep the gauges current until cancelled; while PostgreSQL is away they keep what they had."""
    while True:
        try:
            async with database.transaction() as session:
                wanted, finished_at = await count_wanted_cameras(session), await last_backup(session)
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            log.debug("register_not_measured", error=type(error).__name__)
        else:
            metrics.cameras_wanted.set(wanted)
            metrics.backup_last_success.set(0 if finished_at is None else finished_at.timestamp())
        await asyncio.sleep(every_s)
