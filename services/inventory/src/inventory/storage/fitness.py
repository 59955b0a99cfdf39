"""The last look at a plan before it is kept: no delivery that its destination cannot take."""

from http import HTTPStatus

from inventory.domain.devices.codecs import advice, takes
from vonggac.events.inventory import CameraV1
from vonggac.http import FieldError, ProblemError

SHOWN = 100


class UnfitDeliveries:
    """Collects deliveries whose camera has a codec that the destination does not take; the first SHOWN are told."""

    def __init__(self) -> None:
        self._count = 0
        self._errors: list[FieldError] = []

    def look_at(self, camera: CameraV1) -> None:
        """A delivery that is disabled harms nobody: it is looked at when it is enabled."""
        codec = camera.expected.codec if camera.expected is not None else None
        for planned in camera.deliveries:
            if not planned.enabled or takes(codec, planned.url, enhanced_rtmp=planned.enhanced_rtmp):
                continue
            self._count += 1
            if len(self._errors) < SHOWN:
                self._errors.append(
                    FieldError(field="expected.codec", message=advice(camera.code, planned.destination_code))
                )

    def refuse(self) -> None:
        """Raises ProblemError 422 naming camera and destination of each."""
        if self._count == 0:
            return
        more = f" (and {self._count - 1} more deliveries)" if self._count > 1 else ""
        detail = f"Nothing was changed: {self._errors[0].message}{more}."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "codec_not_taken", detail, self._errors)
