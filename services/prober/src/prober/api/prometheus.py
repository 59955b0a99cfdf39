"""`/probe?target=<camera_id>` as blackbox_exporter has it, for Prometheus's multi-target pattern.

A scrape shows the latest probe and opens no session: cameras are probed once an interval however many scrape them.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from prober.api.advice import probe_for
from prober.api.bus import AWAY, answered_by_the_bus, bus_of, hides_camera, now_of, observer_of
from prober.api.probes import observe_now
from prober.messaging import CameraStatuses
from vonggac.auth import Caller, Right, demand, guarded_router
from vonggac.events.prober import CameraObservedV1, Verdict
from vonggac.http import ProblemError
from vonggac.http.openapi import problems

router = guarded_router(tags=["prometheus"])


@router.get(
    "/probe",
    summary="The latest probe of a camera as Prometheus metrics",
    description="`probe_success`, `probe_duration_seconds` (by phase) and their like for one target. With `fresh=true` "
    "a probe is made now, which needs the right to operate and keeps all limits.",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "probe_success 1.0\n"}}},
        **problems(
            {
                404: "Nobody has probed such a camera",
                409: "With `fresh`: it rests after failed logins, is disabled, or is probed now",
                429: "With `fresh`: the site's network is busy",
                **AWAY,
            }
        ),
    },
)
async def probe(
    request: Request,
    target: Annotated[UUID, Query(description="The camera's id.")],
    caller: Caller,
    fresh: Annotated[bool, Query(description="Probe now.")] = False,
) -> Response:
    if fresh:
        demand(request, caller, Right.OPERATE, "a fresh probe (without `fresh` the latest one is shown)")
        probe: CameraObservedV1 | None = (await observe_now(request, caller, observer_of(request), target)).fact
    else:
        with answered_by_the_bus():
            probe = await CameraStatuses(bus_of(request)).get(target)
    if probe is None or await hides_camera(request, caller, target):
        msg = f"nobody has probed a camera {target}; is it in the inventory and enabled?"
        raise ProblemError(HTTPStatus.NOT_FOUND, "camera_not_probed", msg)
    registry = _registry(probe_for(caller, probe), now_of(request))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _registry(probe: CameraObservedV1, now: datetime) -> CollectorRegistry:
    registry = CollectorRegistry()

    def gauge(name: str, meaning: str, value: float | None) -> None:
        if value is not None:
            Gauge(name, meaning, registry=registry).set(value)

    gauge("probe_success", "1 when the probe found the camera up.", float(probe.verdict is Verdict.UP))
    phases = Gauge(
        "probe_duration_seconds",
        "Seconds of each phase of the probe (total: the whole).",
        ("phase",),
        registry=registry,
    )
    for step in probe.steps:
        phases.labels(step.name).set(step.duration_ms / 1000)
    # Not shown to who only reads, where the camera was not reached.
    duration_ms: float | None = probe.duration_ms
    if duration_ms is not None:
        phases.labels("total").set(duration_ms / 1000)
    gauge("probe_timestamp_seconds", "When the probe ended, seconds since 1970.", probe.observed_at.timestamp())
    overdue = (now - probe.observed_at).total_seconds() > 2 * probe.interval_s
    gauge("probe_overdue", "1 when nobody probed it for two intervals.", float(overdue))
    if probe.cause is not None:
        Gauge("probe_failure", "1 beside the cause.", ("cause",), registry=registry).labels(probe.cause.value).set(1)
    if probe.findings:
        findings = Gauge("probe_finding", "1 beside each finding.", ("finding",), registry=registry)
        for finding in probe.findings:
            findings.labels(finding.value).set(1)
    if (media := probe.media) is not None:
        gauge("probe_video_frames_per_second", "Pictures a second.", media.fps)
        bits = media.bitrate_kbps * 1000 if media.bitrate_kbps is not None else None
        gauge("probe_video_bits_per_second", "Bit rate of the video.", bits)
        gauge("probe_video_width_pixels", "Width of the picture.", media.width)
        gauge("probe_video_height_pixels", "Height of the picture.", media.height)
        gauge("probe_packets_lost", "Packets lost while it was measured.", media.packets_lost)
        jitter_s = media.jitter_ms / 1000 if media.jitter_ms is not None else None
        gauge("probe_jitter_seconds", "Unevenness of the pictures' arrival.", jitter_s)
        gauge("probe_clock_drift_seconds", "The camera's clock minus ours.", media.clock_drift_s)
    return registry
