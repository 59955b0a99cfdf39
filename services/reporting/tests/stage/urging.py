"""An urger whose clock and obligations the test sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from reporting.domain.instants import millis
from reporting.feeds.sealing import Seal
from reporting.storage.sending import log as kept
from reporting.storage.sending.records import CHANNELS, RULES
from reporting.urging.decision import Owed
from reporting.urging.urger import Urger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from reporting.settings import Settings
    from vonggac.database import Database

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
SEAL = Seal(bytes(range(32)))
SET_BY_RECORDS = {"id", "revision", "created_at", "created_by", "changed_at", "changed_by"}


class Urging:
    """An urger whose clock and obligations the test sets."""

    def __init__(self, database: Database, settings: Settings, agency: UUID) -> None:
        self.now, self.agency, self.database = NOW, agency, database
        self.obligations: list[Owed] = []
        given = settings.model_copy(update={"allowed_networks": ("127.0.0.0/8",)})
        self.urger = Urger(database, given, SEAL, obligations=self._owed, clock=lambda: self.now)

    async def _owed(self, _session: AsyncSession, _now: datetime) -> Sequence[Owed]:
        return self.obligations

    def owe(self, key: str, days_late: float, agency: UUID | None = None) -> None:
        since = millis(self.now - timedelta(days=days_late))
        party = agency or self.agency
        self.obligations.append(Owed(key, False, since, party, None, "connection", key, "Kết nối", None, None))

    async def rule(self, **given: Any) -> None:
        known: dict[str, Any] = {
            "id": uuid4(),
            "name": "Quá hạn",
            "about": "obligation_overdue",
            "party": "responsible",
            "agency_id": None,
            "level": 1,
            "hours": 0,
            "every_hours": 24,
            "after_answer_hours": 0,
            "quiet_from": None,
            "quiet_to": None,
            "channel_kinds": ["mailto"],
            "obligation_kinds": [],
            "enabled": True,
        }
        async with self.database.transaction() as session:
            await RULES.add(session, known | given, NOW, "lead")

    async def channel(self, port: int, **given: Any) -> None:
        address = f"mailto://127.0.0.1:{port}?from=vonggac@example.vn&to=vanthu@example.vn"
        known: dict[str, Any] = {
            "id": uuid4(),
            "agency_id": self.agency,
            "name": "Văn thư",
            "kind": "mailto",
            "enabled": True,
            "address": SEAL.close(address),
        }
        async with self.database.transaction() as session:
            await CHANNELS.add(session, known | given, NOW, "lead")

    async def log(self) -> list[tuple[Any, list[Any]]]:
        async with self.database.transaction() as session:
            entries = await kept.recent(session, NOW - timedelta(days=365))
            rows, _ = await kept.page(session, kept.Chosen(), ([], None, 100), count=False) if entries else ((), None)
            sendings = await kept.sendings(session, [row.id for row in rows])
        return [
            (row, sendings.get(row.id, []))
            for row in sorted(rows, key=lambda row: (row.urged_at, row.agency_code, row.level))
        ]
