"""How a call can fail. Look and scan turn these into values; nothing above them sees an exception."""

from prober.probes.onvif.model import OnvifCause


class OnvifError(Exception):
    """`message` is short and holds neither a credential nor what the device wrote."""

    def __init__(self, cause: OnvifCause, message: str) -> None:
        super().__init__(cause, message)
        self.cause = cause
        self.message = message

    def __str__(self) -> str:
        return f"{self.cause}: {self.message}"


class FaultError(OnvifError):
    """The device answered `operation` with a SOAP fault that is not about the login."""

    def __init__(self, operation: str) -> None:
        super().__init__(OnvifCause.PROTOCOL_ERROR, f"{operation} was answered with a fault")
        self.operation = operation
