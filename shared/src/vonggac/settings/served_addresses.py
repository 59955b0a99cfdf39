"""Where centres that pull reach the forwarders: a setting of inventory, and of the prober, which checks them."""

from typing import Annotated

from pydantic import AfterValidator

from vonggac.net.errors import MalformedError
from vonggac.net.url import RtspUrl
from vonggac.settings.networks import Texts


def check_served_addresses(texts: tuple[str, ...]) -> tuple[str, ...]:
    """`rtsps://host:port` and `rtsp://host:port`, each at most once. Raises ValueError."""
    schemes: set[str] = set()
    for text in texts:
        scheme, found, rest = text.partition("://")
        if scheme not in {"rtsp", "rtsps"} or not found or scheme in schemes:
            msg = f"{text[:100]}: give rtsps://host:port and rtsp://host:port, each at most once"
            raise ValueError(msg)
        schemes.add(scheme)
        try:
            parsed = RtspUrl.parse(text)
        except MalformedError as error:
            msg = f"{text[:100]}: {error.message}"
            raise ValueError(msg) from None
        if parsed.credentials is not None or any(sign in rest for sign in "/?#@"):
            msg = f"{scheme}://…: give scheme, host and port alone, without a login and a path"
            raise ValueError(msg)
    return texts


ServedAddressTexts = Annotated[Texts, AfterValidator(check_served_addresses)]
