"""The supervisor: decides once, sends at least once, retries alone, and keeps a log of it all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from services.reporting.tests.stage.receivers import Mailbox, taking_mail
from sqlalchemy import NullPool, create_engine, select

from reporting.domain.instants import millis
from reporting.feeds.sealing import Seal
from reporting.feeds.watcher import Watcher
from reporting.storage.sending import log as kept
from reporting.storage.sending.records import CHANNELS, RULES
from reporting.storage.sending.urging_tables import urge_rule
from reporting.urging.channels import RESOLVE_WITHIN_S, SENT_WITHIN_S
from reporting.urging.decision import Owed
from reporting.urging.digest import message
from reporting.urging.urger import LEASE, Urger
from vonggac.events.inventory import (
    AgencyRole,
    AgencyV1,
    BlockedKind,
    BlockedReasonV1,
    DestinationMode,
    DestinationV1,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from services.reporting.tests.stage.province import Province
    from sqlalchemy.ext.asyncio import AsyncSession

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings
    from vonggac.database import Database
    from vonggac.embedded import PostgresServer

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
            "id": uuid4(), "name": "Quá hạn", "about": "obligation_overdue", "party": "responsible", "agency_id": None,
            "level": 1, "hours": 0, "every_hours": 24, "after_answer_hours": 0, "quiet_from": None, "quiet_to": None,
            "channel_kinds": ["mailto"], "obligation_kinds": [], "enabled": True,
        }  # fmt: skip
        async with self.database.transaction() as session:
            await RULES.add(session, known | given, NOW, "lead")

    async def channel(self, port: int, **given: Any) -> None:
        address = f"mailto://127.0.0.1:{port}?from=vonggac@example.vn&to=vanthu@example.vn"
        known: dict[str, Any] = {
            "id": uuid4(), "agency_id": self.agency, "name": "Văn thư", "kind": "mailto", "enabled": True,
            "address": SEAL.close(address),
        }  # fmt: skip
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


@pytest_asyncio.fixture
async def urging(database: Database, settings: Settings, ingest: Ingest, province: Province) -> Urging:
    await province.feed(ingest, *province.base())
    return Urging(database, settings, province.agency)


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with taking_mail() as made:
        yield made


async def test_a_party_is_urged_once_by_mail_and_the_log_says_who_when_and_how(
    urging: Urging, mailbox: Mailbox
) -> None:
    await urging.rule()
    await urging.channel(mailbox.port)
    urging.owe("NV-1", 3)
    urging.owe("NV-2", 1)
    assert await urging.urger.check() == 1
    assert await urging.urger.send() == 1
    ((recipients, mail),) = mailbox.taken
    assert recipients == ["vanthu@example.vn"]
    assert mail["subject"] == "[Vọng Gác] Đôn đốc mức 1 (nhắc việc): 2 nghĩa vụ, 0 camera mất kết nối"
    assert await urging.urger.check() == 0
    assert await urging.urger.send() == 0
    ((entry, (sending,)),) = await urging.log()
    assert (entry.agency_code, entry.level, entry.urged_at, entry.decided_by) == ("SYT", 1, NOW, "rules")
    assert [item["code"] for item in entry.items] == ["NV-1", "NV-2"]
    assert (sending.state, sending.outcome, sending.channel_name) == ("sent", "sent", "Văn thư")


async def test_after_the_set_hours_the_party_is_urged_again_if_it_still_owes(urging: Urging, mailbox: Mailbox) -> None:
    await urging.rule()
    urging.owe("NV-1", 3)
    assert await urging.urger.check() == 1
    urging.now += timedelta(hours=24)
    assert await urging.urger.check() == 1
    urging.now += timedelta(hours=24)
    urging.obligations.clear()
    assert await urging.urger.check() == 0


async def test_a_mail_server_that_is_away_is_tried_again_later_and_the_party_gets_one_message(
    urging: Urging, mailbox: Mailbox
) -> None:
    await urging.rule()
    await urging.channel(mailbox.port)
    urging.owe("NV-1", 3)
    await urging.urger.check()
    mailbox.refuse = "451 try later"
    assert await urging.urger.send() == 1
    mailbox.refuse = ""
    assert await urging.urger.send() == 0
    urging.now += timedelta(seconds=7)
    assert await urging.urger.send() == 1
    assert len(mailbox.taken) == 1
    ((_, (sending,)),) = await urging.log()
    assert (sending.state, sending.attempts) == ("sent", 2)


def test_a_slow_mail_server_is_done_with_all_that_was_claimed_before_another_process_may_send_it() -> None:
    assert timedelta(seconds=kept.CLAIMED * (RESOLVE_WITHIN_S + SENT_WITHIN_S)) < LEASE


async def test_a_message_under_way_when_the_process_died_is_sent_by_the_next(urging: Urging, mailbox: Mailbox) -> None:
    await urging.rule()
    await urging.channel(mailbox.port)
    urging.owe("NV-1", 3)
    await urging.urger.check()
    async with urging.database.transaction() as session:
        assert len(await kept.claim(session, urging.now, urging.now + LEASE)) == 1
    assert await urging.urger.send() == 0
    urging.now += LEASE
    assert await urging.urger.send() == 1


async def test_one_bad_channel_does_not_keep_the_other_from_its_message(urging: Urging, mailbox: Mailbox) -> None:
    await urging.rule()
    await urging.channel(mailbox.port, name="tốt")
    await urging.channel(1, name="hỏng")
    await urging.channel(1, name="khóa khác", address=Seal(bytes(32)).close("mailto://127.0.0.1"))
    urging.owe("NV-1", 3)
    await urging.urger.check()
    assert await urging.urger.send() == 3
    ((_, sendings),) = await urging.log()
    assert {one.channel_name: (one.state, one.outcome) for one in sendings} == {
        "hỏng": ("pending", "failed"),
        "khóa khác": ("pending", "address_unreadable"),
        "tốt": ("sent", "sent"),
    }


async def test_a_party_without_a_channel_is_in_the_log_all_the_same(urging: Urging) -> None:
    await urging.rule(level=2)
    other = uuid4()
    urging.owe("NV-1", 3, other)
    assert await urging.urger.check() == 1
    ((entry, sendings),) = await urging.log()
    assert (entry.agency_id, entry.agency_name, sendings) == (other, None, [])


async def test_a_channel_of_another_kind_or_switched_off_is_not_used(urging: Urging, mailbox: Mailbox) -> None:
    await urging.rule(channel_kinds=["json"])
    await urging.channel(mailbox.port)
    await urging.channel(mailbox.port, kind="json", enabled=False)
    urging.owe("NV-1", 3)
    await urging.urger.check()
    assert await urging.urger.send() == 0


async def test_a_lasting_outage_urges_the_agency_that_manages_the_facility(
    urging: Urging, ingest: Ingest, province: Province, settings: Settings
) -> None:

    async def none(_session: AsyncSession, _now: datetime) -> Sequence[Any]:
        return ()

    cameras = [province.camera(f"CAM-0{number}") for number in range(1, 4)]
    await province.feed(ingest, *(province.stated("camera", one) for one in cameras))
    for camera in cameras:
        down = province.probes(camera, NOW - timedelta(hours=5), NOW, "down", cause="timeout", every_s=600)
        await province.feed(ingest, *down)
    await province.feed(ingest, *province.watched(NOW))
    await Watcher(urging.database, settings, duties=none, clock=lambda: NOW).check()
    await urging.rule(about="outage", party="managing", hours=4)
    await urging.rule(about="outage", party="managing", hours=6, level=2)
    assert await urging.urger.check() == 1
    ((entry, _),) = await urging.log()
    assert (entry.agency_id, entry.level) == (province.agency, 1)
    assert [item["code"] for item in entry.items] == ["CAM-01", "CAM-02", "CAM-03"]
    assert {item["facility_name"] for item in entry.items} == {"Khu cách ly Lao Bảo"}


async def test_an_outage_of_a_camera_that_moved_urges_the_agency_where_it_is_now(
    urging: Urging, ingest: Ingest, province: Province, settings: Settings
) -> None:
    async def none(_session: AsyncSession, _now: datetime) -> Sequence[Any]:
        return ()

    camera, moved = province.camera(), NOW - timedelta(hours=1)
    there = province.facility_state(id=uuid4(), code="KCL-02", name="Bệnh viện dã chiến", managing_agency_id=uuid4())
    gone = camera.model_copy(update={"revision": 2, "facility_id": there.id, "changed_at": moved})
    down = province.probes(camera, NOW - timedelta(hours=5), NOW, "down", cause="timeout", every_s=600)
    await province.feed(ingest, province.stated("camera", camera), province.stated("facility", there))
    await province.feed(ingest, *down, *province.watched(NOW))
    await Watcher(urging.database, settings, duties=none, clock=lambda: moved).check()
    await province.feed(ingest, province.stated("camera", gone))
    await Watcher(urging.database, settings, duties=none, clock=lambda: NOW).check()
    await urging.rule(about="outage", party="managing", hours=4)
    assert await urging.urger.check() == 1
    ((entry, _),) = await urging.log()
    assert entry.agency_id == there.managing_agency_id
    assert [(one["facility_code"], one["facility_name"]) for one in entry.items] == [("KCL-02", "Bệnh viện dã chiến")]


async def test_two_replicas_urge_once(urging: Urging) -> None:
    await urging.rule()
    urging.owe("NV-1", 3)
    async with urging.database.transaction() as session:
        assert await kept.try_lock(session)
        assert await urging.urger.check() == 0
    assert await urging.urger.check() == 1


@pytest.mark.parametrize("hours", [2, 30])
async def test_an_answer_keeps_the_party_from_being_urged_for_the_set_hours(urging: Urging, hours: int) -> None:
    await urging.rule(every_hours=1, after_answer_hours=24)
    urging.owe("NV-1", 3)
    await urging.urger.check()
    ((entry, _),) = await urging.log()
    values = {
        "id": uuid4(), "urge_id": entry.id, "answered_at": NOW, "text": "Đang làm", "document": None,
        "promised_by": None, "recorded_at": NOW, "recorded_by": "lead",
    }  # fmt: skip
    async with urging.database.transaction() as session:
        await kept.add_answer(session, values)
    urging.now += timedelta(hours=hours)
    assert await urging.urger.check() == int(hours > 24)


async def test_an_answer_counts_however_long_after_the_urging_it_came(urging: Urging) -> None:
    await urging.rule(every_hours=1, after_answer_hours=24 * 60)
    urging.owe("NV-1", 3)
    await urging.urger.check()
    ((entry, _),) = await urging.log()
    answered = NOW + timedelta(days=80)
    values = {
        "id": uuid4(), "urge_id": entry.id, "answered_at": answered, "text": "Đang làm", "document": None,
        "promised_by": None, "recorded_at": answered, "recorded_by": "lead",
    }  # fmt: skip
    async with urging.database.transaction() as session:
        await kept.add_answer(session, values)
    for days, urged in ((91, 0), (141, 1)):
        urging.now = NOW + timedelta(days=days)
        assert await urging.urger.check() == urged


@pytest.mark.parametrize("removed", [True, False])
async def test_messages_for_channels_that_are_no_more_or_switched_off_keep_no_other_from_being_sent(
    urging: Urging, mailbox: Mailbox, removed: bool
) -> None:
    await urging.rule()
    urging.owe("NV-1", 3)
    async with taking_mail() as gone:
        port = gone.port
    for _ in range(kept.CLAIMED):
        await urging.channel(port)
    await urging.urger.check()
    assert await urging.urger.send() == kept.CLAIMED
    async with urging.database.transaction() as session:
        for row in await CHANNELS.enabled(session):
            if removed:
                await kept.give_up(session, row.id)
                await CHANNELS.remove(session, row.id)
            else:
                await CHANNELS.change(session, row.id, {"enabled": False}, NOW, "lead")
    await urging.channel(mailbox.port)
    urging.now += timedelta(hours=25)
    assert await urging.urger.check() == 1
    assert await urging.urger.send() == 1
    assert len(mailbox.taken) == 1
    states = {one.state for _, sendings in await urging.log() for one in sendings if one.state != "sent"}
    assert states == {"failed" if removed else "pending"}


async def test_a_centre_that_does_not_ask_urges_the_agency_that_the_register_names_for_it(
    urging: Urging, ingest: Ingest, province: Province
) -> None:
    camera, since = province.camera("CAM-01"), urging.now - timedelta(hours=30)
    state = province.destination("national").data
    assert isinstance(state, DestinationV1)
    named = {"mode": DestinationMode.SERVE, "responsible": " sở  y tế "}
    await province.feed(
        ingest,
        province.stated("destination", state.model_copy(update={**named, "revision": state.revision + 1})),
        province.stated("camera", camera),
        *province.watched(urging.now),
        province.change(camera.deliveries[0], camera, 1, since, "waiting_for_centre", cause="not_asked"),
    )
    await urging.rule(hours=24, obligation_kinds=["centre_not_asking"])
    assert await urging.urger.check() == 1
    ((entry, _),) = await urging.log()
    (item,) = entry.items
    assert (entry.agency_code, item["kind"], item["since"]) == ("SYT", "centre_not_asking", millis(since))
    text = message("1", "Sở Y tế", 1, entry.items, millis(urging.now)).text
    assert "trung tâm chưa kết nối lấy hình từ" in text
    assert "the centre has not asked since" in text


async def test_an_obstructed_visit_is_urged_about_and_escalates_by_itself(
    urging: Urging, ingest: Ingest, province: Province
) -> None:
    state = {"revision": 1, "changed_at": NOW - timedelta(days=9), "created_at": NOW - timedelta(days=9)}
    reason = BlockedReasonV1(
        id=uuid4(), facility_id=province.facility, kind=BlockedKind.NON_COOPERATION,
        text="Cản trở lượt làm việc ngày 17/11/2026: cổng khóa, gọi 0912 345 678",
        valid_from=(NOW - timedelta(days=3)).date(), changed_by="lead", **state,
    )  # fmt: skip
    await province.feed(ingest, province.stated("blocked_reason", reason))
    await urging.rule(hours=24)
    await urging.rule(name="Quá hạn lâu", level=2, hours=96)
    assert await urging.urger.check() == 1
    urging.now += timedelta(days=2)
    assert await urging.urger.check() == 1
    (first, _), (second, _) = await urging.log()
    assert (first.agency_code, first.level, second.level) == ("SYT", 1, 2)
    assert first.items[0]["title"] == "Cản trở lượt làm việc ngày 17/11/2026: cổng khóa, gọi ***"


async def test_a_new_installation_escalates_an_obstructed_visit_to_the_committee_by_itself(
    urging: Urging, ingest: Ingest, province: Province, postgres_server: PostgresServer, reporting_template: str
) -> None:
    made = create_engine(postgres_server.url(reporting_template, "reporting"), poolclass=NullPool)
    with made.connect() as connection:
        rules = [dict(row) for row in connection.execute(select(urge_rule)).mappings()]
    assert sorted((row["level"], row["hours"], row["party"]) for row in rules) == [
        (1, 0, "managing"), (2, 48, "managing"), (3, 120, "peoples_committee"),
    ]  # fmt: skip
    for row in rules:
        await urging.rule(**{name: row[name] for name in row if name not in SET_BY_RECORDS})
    state = {"revision": 1, "changed_at": NOW - timedelta(days=9), "created_at": NOW - timedelta(days=9)}
    committee = AgencyV1(id=uuid4(), code="UBND", name="UBND tỉnh", role=AgencyRole.PEOPLES_COMMITTEE, **state)
    reason = BlockedReasonV1(
        id=uuid4(), facility_id=province.facility, kind=BlockedKind.NON_COOPERATION, text="Cổng khóa",
        valid_from=NOW.date(), changed_by="lead", **state,
    )  # fmt: skip
    await province.feed(ingest, province.stated("agency", committee), province.stated("blocked_reason", reason))
    urging.owe("NV-1", 3)
    for days in (0, 2, 5):
        urging.now = NOW + timedelta(days=days)
        await urging.urger.check()
    found = [
        (entry.agency_code, entry.level, [item["title"] for item in entry.items]) for entry, _ in await urging.log()
    ]
    assert [(code, level) for code, level, _ in found] == [("SYT", 1), ("SYT", 2), ("SYT", 2), ("UBND", 3)]
    assert all(titles == ["Cổng khóa"] for _, _, titles in found)
