"""Checks each camera's codec before the commit: its destinations must accept it."""

from http import HTTPStatus

from inventory.domain.devices.codecs import accepts_codec, refusal_advice
from vonggac.events.inventory import CameraV1
from vonggac.http import FieldError, ProblemError

SHOWN = 100


class CodecCheck:
    """Collects deliveries whose destination does not accept the camera's codec; keeps the first SHOWN."""

    def __init__(self) -> None:
        self._count = 0
        self._errors: list[FieldError] = []

    def check_camera(self, camera: CameraV1) -> None:
        """Check the enabled deliveries of a camera; a disabled one is checked when somebody enables it."""
        codec = camera.expected.codec if camera.expected is not None else None
        for planned in camera.deliveries:
            if not planned.enabled or accepts_codec(codec, planned.url, enhanced_rtmp=planned.enhanced_rtmp):
                continue
            self._count += 1
            if len(self._errors) < SHOWN:
                self._errors.append(
                    FieldError(field="expected.codec", message=refusal_advice(camera.code, planned.destination_code))
                )

    def raise_if_any(self) -> None:
        """Raise ProblemError 422 that names camera and destination of each."""
        if self._count == 0:
            return
        more = f" (and {self._count - 1} more deliveries)" if self._count > 1 else ""
        detail = f"Nothing was changed: {self._errors[0].message}{more}."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "codec_not_taken", detail, self._errors)
