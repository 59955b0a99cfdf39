"""Time not connected, by party: day by day, and as much as the deliveries say."""

import csv
import io
import json
from datetime import datetime, timedelta

from services.reporting.tests.api.tables.test_tables import END, PERIOD, START, get
from services.reporting.tests.conftest import Client
from services.reporting.tests.stage.province import Province

from reporting.ingest.handlers import Ingest
from reporting.tables import Format
from vonggac.events import Cause, CloudEvent, Payload, new_event
from vonggac.events.inventory import CameraV1, DestinationMode, DestinationV1, PlannedDelivery
from vonggac.events.inventory.serving import SelfCheck, SelfCheckOutcome
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict

PARTIES = ("by_us_ms", "by_centre_ms", "by_camera_ms", "by_line_ms", "by_unknown_ms")


async def test_the_parties_of_a_delivery_add_up_to_its_time_not_connected(
    client: Client, ingest: Ingest, province: Province
) -> None:
    province.now = END
    camera, asked = province.camera("CAM-01"), START + timedelta(hours=6)
    pulled, pushed = camera.deliveries
    changes = [
        province.change(pulled, camera, 1, START, "waiting_for_centre", cause="not_asked"),
        province.change(pulled, camera, 2, asked, "acknowledged"),
        province.change(pulled, camera, 3, asked + timedelta(hours=2), "waiting_for_camera", cause="route"),
        province.change(pulled, camera, 4, asked + timedelta(hours=3), "waiting_for_camera", cause="auth_failed"),
        province.change(pulled, camera, 5, asked + timedelta(hours=5), "stopped", cause="stopped"),
        province.change(pulled, camera, 6, asked + timedelta(hours=30), "acknowledged"),
        province.change(pushed, camera, 7, START, "acknowledged"),
    ]
    await province.feed(
        ingest,
        *province.base(),
        province.stated("camera", camera),
        *province.watched(END),
        *province.probes(camera, START, END, every_s=600),
        *changes,
    )
    rows = json.loads(await get(client, "not_connected_by_party", Format.JSON))
    assert {row["delivery_id"] for row in rows} == {str(pulled.id)}
    assert all(sum(row[name] for name in PARTIES) == row["not_connected_ms"] > 0 for row in rows)
    whole = {name: sum(row[name] for row in rows) for name in (*PARTIES, "not_connected_ms")}
    deliveries = json.loads(await get(client, "deliveries", Format.JSON))
    (of_delivery,) = [row for row in deliveries if row["delivery_id"] == str(pulled.id)]
    assert whole["not_connected_ms"] == of_delivery["not_connected_ms"]
    hour = 3_600_000
    assert [whole[name] for name in PARTIES] == [25 * hour, 0, 2 * hour, hour, 6 * hour]
    found = (await get(client, "not_connected_by_party", Format.CSV)).decode()
    assert [row["by_us_ms"] for row in csv.DictReader(io.StringIO(found))] == [str(row["by_us_ms"]) for row in rows]
    one = await client.get(f"/v1/deliveries/{pulled.id}/intervals", params=PERIOD)
    assert "waiting_for_centre" in {each["state"] for each in one.json()["intervals"]}


async def test_a_centre_is_named_for_the_time_between_good_checks_of_its_address(
    client: Client, ingest: Ingest, province: Province
) -> None:
    province.now = END
    camera = province.camera("CAM-01")
    pulled, pushed = camera.deliveries
    minutes = [
        (0, SelfCheckOutcome.SERVED),
        (10, SelfCheckOutcome.SERVED),
        (20, SelfCheckOutcome.SERVED),
        (40, SelfCheckOutcome.SERVED),
        (50, SelfCheckOutcome.TLS),
        (52, SelfCheckOutcome.TLS),
    ]
    await province.feed(
        ingest,
        *province.base(),
        province.stated("camera", camera),
        *province.watched(END),
        *province.probes(camera, START, END, every_s=600),
        province.change(pulled, camera, 1, START, "waiting_for_centre", cause="not_asked"),
        province.change(pushed, camera, 2, START, "acknowledged"),
        *(checked(camera, pulled, START + timedelta(hours=1, minutes=minute), found) for minute, found in minutes),
    )
    rows = json.loads(await get(client, "not_connected_by_party", Format.JSON))
    assert all(sum(row[name] for name in PARTIES) == row["not_connected_ms"] > 0 for row in rows)
    minute = 60_000
    assert sum(row["by_centre_ms"] for row in rows) == 20 * minute
    assert sum(row["by_us_ms"] for row in rows) == 2 * minute


async def test_a_centre_that_is_refused_for_its_address_is_not_named_by_checks_that_come_from_elsewhere(
    client: Client, ingest: Ingest, province: Province
) -> None:
    province.now = END
    camera = province.camera("CAM-01")
    pulled, pushed = camera.deliveries
    at, minute = START + timedelta(hours=1), timedelta(minutes=1)
    await province.feed(
        ingest,
        *province.base(),
        province.stated("camera", camera),
        *province.watched(END),
        *province.probes(camera, START, END, every_s=600),
        province.change(pulled, camera, 1, START, "waiting_for_centre", cause="not_asked"),
        province.change(
            pulled,
            camera,
            2,
            at + 3 * minute,
            "waiting_for_centre",
            cause="refused",
            refused_for=Cause.ADDRESS_NOT_ALLOWED,
        ),
        province.change(
            pulled, camera, 3, at + 7 * minute, "waiting_for_centre", cause="refused", refused_for=Cause.AUTH_FAILED
        ),
        province.change(pushed, camera, 4, START, "acknowledged"),
        *(checked(camera, pulled, at + number * minute, SelfCheckOutcome.SERVED) for number in (0, 10)),
    )
    rows = json.loads(await get(client, "not_connected_by_party", Format.JSON))
    assert all(sum(row[name] for name in PARTIES) == row["not_connected_ms"] > 0 for row in rows)
    assert sum(row["by_centre_ms"] for row in rows) == 6 * 60_000


def checked(
    camera: CameraV1, delivery: PlannedDelivery, at: datetime, outcome: SelfCheckOutcome
) -> CloudEvent[Payload]:
    fact = DeliveryVerifiedV1(
        delivery_id=delivery.id,
        camera_id=camera.id,
        destination_id=delivery.destination_id,
        camera_revision=camera.revision,
        worker_id="prober-1",
        observed_at=at,
        verdict=VerificationVerdict.NOT_CHECKABLE,
        interval_s=600,
        duration_ms=900,
        self_check=SelfCheck(outcome=outcome, address="rtsps://a.example.vn:8322/ioc/gate"),
    )
    return new_event(fact, source="/prober/prober-1", subject=str(delivery.id), time=at)


async def test_the_overview_says_since_when_a_centre_has_not_asked_and_who_is_responsible(
    client: Client, ingest: Ingest, province: Province
) -> None:
    now = province.now
    first, second = province.camera("CAM-01"), province.camera("CAM-02")
    asked = now - timedelta(hours=5)
    pulls = province.stated("destination", serving_state(province))
    await province.feed(
        ingest,
        *province.base(),
        pulls,
        *(province.stated("camera", camera) for camera in (first, second)),
        *province.watched(now),
        province.change(first.deliveries[0], first, 1, asked, "waiting_for_centre", cause="not_asked"),
        province.change(second.deliveries[0], second, 2, asked, "acknowledged"),
    )
    (found,) = (await client.get("/v1/overview")).json()["waiting_centres"]
    assert (found["cameras"], found["by_cause"], found["responsible"]) == (1, {"not_asked": 1}, "Phòng Vận hành")
    assert found["text_vi"].startswith("trung tâm chưa kết nối lấy hình từ ")
    assert found["text_vi"].endswith("(1 camera); đầu mối: Phòng Vận hành")
    assert found["text_en"].endswith("(1 camera); responsible: Phòng Vận hành")
    assert abs(datetime.fromisoformat(found["since"]) - asked) < timedelta(milliseconds=1)
    past = {"from": (now - timedelta(days=3)).isoformat(), "to": (now - timedelta(days=2)).isoformat()}
    assert (await client.get("/v1/overview", params=past)).json()["waiting_centres"] == []


async def test_a_centre_is_waited_for_since_its_last_session_whichever_worker_holds_the_camera(
    client: Client, ingest: Ingest, province: Province
) -> None:
    now = province.now
    camera = province.camera("CAM-01")
    left, delivery = now - timedelta(hours=9), camera.deliveries[0]
    await province.feed(
        ingest,
        *province.base(),
        province.stated("destination", serving_state(province)),
        province.stated("camera", camera),
        *province.watched(now),
        province.change(delivery, camera, 1, now - timedelta(hours=12), "acknowledged"),
        province.change(delivery, camera, 2, left, "waiting_for_centre", cause="left"),
        province.change(delivery, camera, 3, now - timedelta(hours=3), "waiting_for_camera", cause="timeout"),
        province.change(delivery, camera, 4, now - timedelta(hours=2), "waiting_for_centre", cause="left"),
    )
    (found,) = (await client.get("/v1/overview")).json()["waiting_centres"]
    assert datetime.fromisoformat(found["since"]) <= left
    assert datetime.fromisoformat(found["since"]) >= now - timedelta(hours=12, seconds=1)
    notes = (await client.get("/v1/compliance")).json()["notes"]
    (note,) = [one for one in notes if one["kind"] == "centre_not_asking"]
    assert "trung tâm chưa kết nối lấy hình từ" in note["text_vi"]
    assert "Phòng Vận hành" in note["text_vi"]
    assert note["facts"] == 1


async def test_a_fault_of_ours_says_nothing_of_the_centre(client: Client, ingest: Ingest, province: Province) -> None:
    camera = province.camera("CAM-01")
    await province.feed(
        ingest,
        *province.base(),
        province.stated("destination", serving_state(province)),
        province.stated("camera", camera),
        *province.watched(province.now),
        province.change(
            camera.deliveries[0],
            camera,
            1,
            province.now - timedelta(hours=5),
            "waiting_for_centre",
            cause="secret_unreadable",
        ),
    )
    assert (await client.get("/v1/overview")).json()["waiting_centres"] == []


def serving_state(province: Province) -> DestinationV1:
    state = province.destination("national").data
    assert isinstance(state, DestinationV1)
    mode = {"mode": DestinationMode.SERVE, "responsible": "Phòng Vận hành"}
    return state.model_copy(update={**mode, "revision": state.revision + 1})
