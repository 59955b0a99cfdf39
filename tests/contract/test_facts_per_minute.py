"""Facts per camera-minute: what the pages of operations and the chart say of disks is computed from one place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from bench.figures import disk as figures
from prober.domain.read_back_facts import READ_BACKS_PER_FACT, follow
from prober.settings import Settings
from vonggac.bus.declared import topology
from vonggac.events import new_event, subjects
from vonggac.events.prober import DeliveryVerifiedV1, VerificationVerdict

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations"
HEADERS = (
    "NATS/1.0\r\nContent-Type: application/cloudevents+json\r\n"
    "Nats-Msg-Id: 0f0d5a52-9a3e-4b8e-8e65-6a1c7b2d9e10\r\n\r\n"
)
ENTRY_BYTES = 22
"""What the server's file has for each message besides."""


def page(name: str) -> str:
    return " ".join((OPERATIONS / name).read_text("utf-8").split())


def read_back_bytes_per_minute(per_fact: int) -> float:
    """Of one delivery that is proven once a minute."""
    now, last = datetime(2026, 11, 30, 1, 2, 3, 456789, tzinfo=UTC), None
    stored, minutes = 0, 5 * per_fact
    for minute in range(minutes + 1):
        found_at = now + timedelta(minutes=minute)
        read_back = DeliveryVerifiedV1(
            delivery_id=UUID(int=2**126),
            camera_id=UUID(int=2**125),
            destination_id=UUID(int=2**124),
            camera_revision=4,
            worker_id="prober-0123456789ab",
            observed_at=found_at,
            verdict=VerificationVerdict.VERIFIED,
            captured_at=found_at - timedelta(seconds=1.234567),
            delay_s=0.351234,
            interval_s=60.0,
            duration_ms=1850.4,
            awake_since=now - timedelta(hours=1),
        )
        last = follow(read_back, last, per_fact=per_fact)
        if minute and last.is_fact:
            event = new_event(last, source=f"/prober/{last.worker_id}", subject=str(last.delivery_id), time=found_at)
            event = event.model_copy(update={"publisher": last.worker_id, "publishersequence": 123_456})
            subject = subjects.delivery_verification(last.camera_id, last.delivery_id)
            stored += len(event.encode()) + len(subject) + len(HEADERS) + ENTRY_BYTES
    return stored / minutes


@pytest.mark.parametrize("per_fact", [1, 2, 4, 8])
def test_facts_per_minute_of_read_backs_take_the_bytes_that_the_figures_say(per_fact: int) -> None:
    figure = figures.camera_minute_bytes(per_fact=per_fact) - figures.PROBE_BYTES
    assert figures.DELIVERIES * read_back_bytes_per_minute(per_fact) == pytest.approx(figure, rel=0.03)


def test_facts_per_minute_are_counted_with_the_settings_of_a_release() -> None:
    fields = Settings.model_fields
    assert READ_BACKS_PER_FACT == figures.READ_BACKS_PER_FACT
    assert fields["verify_interval_s"].default == 60
    streams = {stream.name: stream for stream in topology.streams(1)}
    assert streams[topology.OBSERVATIONS].max_age == figures.KEPT_DAYS * 86_400


def test_facts_per_minute_give_the_sizes_of_the_pages() -> None:
    sizing, a_minute = page("README.md"), figures.camera_minute_bytes()
    for cameras, every_s in ((100, 15), (1_000, 60), (20_000, 60)):
        bound = figures.kept_bytes(cameras, probe_every_s=every_s)
        row = f"| {cameras:,} | {every_s} s | {figures.size(bound)} | {figures.size(bound * figures.ON_DISK)} |"
        assert row in sizing
    assert f"{a_minute / 1000:.1f} kB a camera-minute" in sizing
    assert f"at 20,000 cameras 8 GiB are {figures.absence_hours(20_000):.1f} hours" in sizing
    stated = yaml.safe_load((ROOT / "deploy/k8s/vonggac/values.yaml").read_text("utf-8"))["nats"]
    hours = figures.absence_hours(20_000, stated["observationsMaxBytes"])
    assert hours >= stated["absenceHours"] == 5
    assert f"the chart states {figures.size(stated['observationsMaxBytes'])}: {hours:.1f} hours" in sizing
    in_30_days = [
        int(figures.absence_hours(1) * 60 * a_minute / (43_200 * each))
        for each in (figures.camera_minute_bytes(probe_every_s=15), a_minute)
    ]
    assert f"{in_30_days[0]} cameras at 15 s, or {in_30_days[1]} at a minute, fill it in 30 days" in sizing
    on_disk = figures.size(figures.kept_bytes(20_000) * figures.ON_DISK)
    assert f"20,000 cameras {on_disk} for 30 days at one a minute" in page("scaling.md")
    a_day = 2_000 * 1440 * a_minute * figures.ON_DISK / 1e9
    assert f"a province with 2,000 cameras writes about {a_day:.1f} GB a day" in page("backup.md")


def test_facts_per_minute_leave_the_room_beside_them_that_the_chart_checks() -> None:
    checks = (ROOT / "deploy/k8s/vonggac/templates/_checks.tpl").read_text("utf-8")
    assert checks.count(str(figures.beside_observations_bytes())) == 2
