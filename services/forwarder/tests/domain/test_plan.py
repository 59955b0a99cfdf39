"""What a changed plan restarts, and what it leaves alone."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from forwarder.domain.assignment.plan import compare, unwanted, wanted, why_off
from vonggac.events.inventory import (
    CameraV1,
    FacilityStatus,
    MediaTransport,
    PlanBasis,
    PlannedDelivery,
    ServingPlan,
    TlsTrust,
)

PINNED = TlsTrust(fingerprint_sha256="0" * 64)


def delivery(**changes: Any) -> PlannedDelivery:
    planned = PlannedDelivery(
        id=uuid4(), destination_id=uuid4(), destination_code="D", url="rtsp://10.0.0.1/a", secret="sealed"
    )
    return planned.model_copy(update=changes)


def camera(*deliveries: PlannedDelivery, **changes: Any) -> CameraV1:
    planned = CameraV1(
        id=UUID(int=1),
        revision=1,
        changed_at=datetime(2021, 5, 14, tzinfo=UTC),
        code="C",
        name="C",
        facility_id=UUID(int=2),
        enabled=True,
        url="rtsp://10.0.0.2/live",
        probe_interval_s=60,
        probe_timeout_s=10,
        deliveries=deliveries,
    )
    return planned.model_copy(update=changes)


def test_a_new_name_restarts_nothing() -> None:
    one = delivery()
    change = compare(camera(one), camera(one, name="another", revision=2, probe_interval_s=5))
    assert not change.restart_source
    assert (change.started, change.restarted, change.stopped, change.disabled) == ((), (), (), ())


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "rtsp://10.0.0.3/live"},
        {"secret": "other"},
        {"forward_audio": True},
        {"transport": MediaTransport.UDP},
        {"tls": PINNED},
    ],
    ids=str,
)
def test_another_stream_of_the_camera_restarts_the_source(changes: dict[str, Any]) -> None:
    one = delivery()
    change = compare(camera(one), camera(one, **changes))
    assert change.restart_source
    assert change.restarted == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "rtsp://10.0.0.9/a"},
        {"secret": "other"},
        {"secret": None},
        {"tls": PINNED},
        {"enhanced_rtmp": True},
        {"serving": ServingPlan(account="ioc", source_networks=("10.9.0.0/24",))},
    ],
    ids=str,
)
def test_another_address_or_login_restarts_that_delivery_alone(changes: dict[str, Any]) -> None:
    one, two = delivery(), delivery()
    changed = two.model_copy(update=changes)
    change = compare(camera(one, two), camera(one, changed))
    assert (change.restarted, change.started, change.stopped) == ((changed,), (), ())
    assert not change.restart_source


@pytest.mark.parametrize("changes", [{"read_back_url": "rtsp://10.0.0.9/b"}, {"read_back_secret": "other"}], ids=str)
def test_another_way_of_reading_back_restarts_nothing(changes: dict[str, Any]) -> None:
    one = delivery()
    change = compare(camera(one), camera(one.model_copy(update=changes)))
    assert not change.restart_source
    assert (change.restarted, change.started, change.stopped) == ((), (), ())


def test_deliveries_come_go_and_are_switched_off() -> None:
    stays, goes, comes, off = delivery(), delivery(), delivery(), delivery()
    switched = off.model_copy(update={"enabled": False})
    change = compare(camera(stays, goes, off), camera(stays, comes, switched))
    assert change.started == (comes,)
    assert set(change.stopped) == {goes, off}
    assert change.disabled == (switched,)


def test_of_a_disabled_camera_nothing_is_wanted() -> None:
    one = delivery()
    assert wanted(camera(one, enabled=False)) == {}
    assert unwanted(camera(one, enabled=False)) == (one,)


@pytest.mark.parametrize("status", ["suspended", "closed"])
def test_nothing_of_a_facility_that_is_closed_is_wanted(status: str) -> None:
    one = delivery()
    closed = camera(one, facility_status=FacilityStatus(status))
    assert (wanted(closed), unwanted(closed)) == ({}, (one,))
    assert wanted(camera(one, facility_status=FacilityStatus.ACTIVE)) == {one.id: one}
    assert wanted(camera(one, facility_status=FacilityStatus.PLANNED)) == {one.id: one}


SUSPENDED = FacilityStatus.SUSPENDED


@pytest.mark.parametrize(
    ("of_camera", "of_delivery", "why"),
    [
        ({}, {}, None),
        ({"enabled": False, "facility_status": SUSPENDED}, {"enabled": False}, "its camera is switched off"),
        ({"facility_status": SUSPENDED}, {}, "the facility of its camera is suspended"),
        ({}, {"enabled": False, "plan": PlanBasis.NONE}, "it or its destination is switched off"),
        ({}, {"plan": PlanBasis.NONE}, "no agreed plan names it"),
        ({}, {"plan": PlanBasis.EXCEPTED}, None),
    ],
    ids=str,
)
def test_a_delivery_that_does_not_run_has_a_reason(
    of_camera: dict[str, Any], of_delivery: dict[str, Any], why: str | None
) -> None:
    one = delivery(**of_delivery)
    reason = why_off(camera(one, **of_camera), one.id)
    assert reason == why or (why is not None and reason is not None and reason.startswith(why))
    assert why_off(camera(one, **of_camera), uuid4()) is None
