"""The supervisor: decides once, sends at least once, retries alone, and keeps a log of it all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from services.reporting.tests.stage.receivers import Mailbox, taking_mail
from services.reporting.tests.stage.urging import NOW, Urging

from reporting.domain.instants import millis
from reporting.feeds.sealing import Seal
from reporting.feeds.watcher import Watcher
from reporting.storage.sending import log as kept
from reporting.storage.sending.records import CHANNELS
from reporting.urging.channels import RESOLVE_WITHIN_S, SENT_WITHIN_S
from reporting.urging.digest import message
from reporting.urging.urger import LEASE
from vonggac.events.inventory import (
    DestinationMode,
    DestinationV1,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.reporting.tests.stage.province import Province
    from sqlalchemy.ext.asyncio import AsyncSession

    from reporting.ingest.handlers import Ingest
    from reporting.settings import Settings


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
        "id": uuid4(),
        "urge_id": entry.id,
        "answered_at": NOW,
        "text": "Đang làm",
        "document": None,
        "promised_by": None,
        "recorded_at": NOW,
        "recorded_by": "lead",
    }
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
        "id": uuid4(),
        "urge_id": entry.id,
        "answered_at": answered,
        "text": "Đang làm",
        "document": None,
        "promised_by": None,
        "recorded_at": answered,
        "recorded_by": "lead",
    }
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
