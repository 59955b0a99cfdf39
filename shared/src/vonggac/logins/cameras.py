"""Which cameras (channels) of a device take a login, and which refuse it, as far as this process has seen. Pure.

A channel that the account has no right to refuses a login that all others take. Its refusals must not make those wait.
"""

from collections import defaultdict


class CamerasOfLogins:
    """By login and device; a camera is its address, without the login."""

    def __init__(self) -> None:
        self._taking: defaultdict[str, set[str]] = defaultdict(set)
        self._refusing: defaultdict[str, set[str]] = defaultdict(set)

    def took(self, login: str, camera: str) -> None:
        """The device took the login for this camera."""
        self._taking[login].add(camera)
        self._refusing[login].discard(camera)

    def refused(self, login: str, camera: str) -> None:
        """The device refused it."""
        self._refusing[login].add(camera)
        self._taking[login].discard(camera)

    def refuses_alone(self, login: str, camera: str | None) -> bool:
        """Whether this camera refused the login last, and another of the device took it last."""
        return camera is not None and camera in self._refusing[login] and bool(self._taking[login])
