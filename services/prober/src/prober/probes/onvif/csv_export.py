"""From a finding to rows in the shape of inventory's camera import, for a person to accept. Pure."""

import csv
import io
from collections.abc import Iterable

from pydantic import BaseModel, Field

from prober.probes.onvif.model import MediaProfile, OnvifFinding
from prober.probes.onvif.targets import Endpoint
from vonggac.http.formulas import escape_formula

COLUMNS = (
    "code", "name", "facility_code", "url", "username", "password",
    "codec", "width", "height", "serial", "mac", "onvif_address",
)  # fmt: skip
"""Of cameras.csv as inventory imports it. The login is left empty: the person fills it in."""
_COMPARED = ("h264", "h265")
"""Codecs that a survey notes."""
_BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel does not take a file for UTF-8."""


class CameraCandidate(BaseModel):
    """One video source of a device, with its best stream."""

    code: str = Field(description="Suggested: made of the address, and of the channel at a recorder.")
    name: str = Field(description="Suggested: maker, model and address.")
    url: str = Field(description="RTSP address without credentials.")
    profile: MediaProfile


def candidates(finding: OnvifFinding) -> list[CameraCandidate]:
    """One per video source that gave a stream address: a camera has one source, a recorder one per channel."""
    best: dict[str | None, MediaProfile] = {}
    for profile in finding.profiles:
        known = best.get(profile.source)
        if profile.stream_url is not None and (known is None or profile.pixels > known.pixels):
            best[profile.source] = profile
    code = _code(finding)
    device = " ".join(part for part in (finding.device.manufacturer, finding.device.model) if part)
    name = f"{device or 'ONVIF'} {finding.address}"
    several = len(best) > 1
    return [
        CameraCandidate(
            code=f"{code}-{channel:02d}" if several else code,
            name=(f"{name[:180]} kênh {channel}" if several else name)[:200],
            url=profile.stream_url,
            profile=profile,
        )
        for channel, profile in enumerate(best.values(), start=1)
        if profile.stream_url is not None
    ]


def cameras_csv(findings: Iterable[OnvifFinding], *, facility_code: str) -> str:
    """Write a file that inventory imports as it is once facility code and login are filled in."""
    buffer = io.StringIO()
    buffer.write(_BYTE_ORDER_MARK)
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for finding in findings:
        for camera in candidates(finding):
            named = (camera.code, camera.name, facility_code, camera.url, "", "")
            # What a device calls itself must not become a formula; inventory takes the apostrophe away again.
            writer.writerow([escape_formula(value) for value in (*named, *_surveyed(finding, camera.profile))])
    return buffer.getvalue()


def _surveyed(finding: OnvifFinding, profile: MediaProfile) -> tuple[str, ...]:
    """List what the prober later compares with. Not the frame rate: many cameras halve it at night."""
    size = (profile.width, profile.height)
    return (
        profile.codec if profile.codec in _COMPARED else "",
        *(str(pixels) if pixels and all(size) else "" for pixels in size),
        finding.device.serial_number or "",
        finding.device.mac or "",
        str(Endpoint(finding.address, finding.port)),
    )


def _code(finding: OnvifFinding) -> str:
    """Letters, digits and dashes; the port where it is not 80, for several devices may stand behind one address."""
    address = finding.address.replace(".", "-").replace(":", "-").strip("-")
    return f"CAM-{address}" if finding.port == 80 else f"CAM-{address}-{finding.port}"
