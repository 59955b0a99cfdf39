"""SOAP by the WSDLs that come with onvif-zeep-async: requests as bytes, answers as plain dicts.

The WSDLs are read from the package's files once per process, in a thread (about 0.15 s of CPU). What a device sends is
parsed here and not by zeep: no document type (SOAP 1.2 §5 forbids one, and with it go entity bombs and outside
files), libxml2's limits on depth and size stay on, nothing is ever fetched.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import onvif  # type: ignore[import-untyped]
from lxml import etree  # type: ignore[import-untyped]
from onvif.client import UsernameDigestTokenDtDiff  # type: ignore[import-untyped]
from onvif.definition import SERVICES  # type: ignore[import-untyped]
from onvif.transport import AsyncSafeTransport  # type: ignore[import-untyped]
from zeep import Settings
from zeep.exceptions import Error as ZeepError
from zeep.helpers import serialize_object
from zeep.wsdl import Document

from prober.probes.onvif.model import FaultError, OnvifCause, OnvifError
from vonggac.auth import Credentials

DEVICE, MEDIA = "devicemgmt", "media"
NAMESPACES: Mapping[str, str] = {name: SERVICES[name]["ns"] for name in (DEVICE, MEDIA)}

_ENVELOPES = frozenset(
    f"{{{namespace}}}Envelope"
    for namespace in ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")
)
_ABOUT_LOGIN = re.compile(r"auth|InvalidSecurity|FailedCheck", re.IGNORECASE)
"""Codes and wordings of faults about the login: few devices use ter:NotAuthorized alone."""
_UNREADABLE = (ZeepError, etree.LxmlError, ValueError, TypeError, AttributeError, LookupError, RecursionError)


# zeep logs whatever value of a device it cannot read, with a stack trace; the probe's cause says what was wrong.
logging.getLogger("zeep").setLevel(logging.CRITICAL)

_MAX_ELEMENTS, _MAX_ATTRIBUTES = 50_000, 50
"""Of a message, and of one element: zeep takes 18 s for 80,000 attributes, which fit into 1 MiB. 64 profiles with all
that belongs to them are 10,000 elements."""


class LoginWantedError(Exception):
    """The answer is a fault about the login."""


@dataclass(frozen=True, slots=True)
class Request:
    """One envelope, ready to be sent."""

    body: bytes
    content_type: str


class Soap:
    """The operations of the device and the media service."""

    def __init__(self) -> None:
        folder = Path(onvif.__file__).parent / "wsdl"
        settings = Settings(strict=False, forbid_external=True)
        self._bindings: dict[str, Any] = {}
        for name in (DEVICE, MEDIA):
            definition = SERVICES[name]
            document = Document(str(folder / definition["wsdl"]), AsyncSafeTransport(), settings=settings)
            self._bindings[name] = document.bindings[f"{{{definition['ns']}}}{definition['binding']}"]

    def request(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        login: Credentials | None = None,
        clock_offset: timedelta = timedelta(),
    ) -> Request:
        """`login`: sign with a WS-UsernameToken (digest) dated by our clock plus `clock_offset`."""
        described = self._bindings[service].get(operation)
        envelope = described.create(**parameters).content
        if login is not None:
            token = UsernameDigestTokenDtDiff(login.username, login.password, dt_diff=clock_offset, use_digest=True)
            envelope, _ = token.apply(envelope, {})
        return Request(
            etree.tostring(envelope, xml_declaration=True, encoding="UTF-8"),
            f'application/soap+xml; charset=utf-8; action="{described.soapaction}"',
        )

    async def read(self, service: str, operation: str, body: bytes) -> Any:
        """Read the answer as dicts, lists, strings and numbers; in a thread, for a device may send much.

        Raises LoginWantedError, FaultError, or OnvifError: not_onvif when it is no SOAP, protocol_error otherwise.
        """
        return await asyncio.to_thread(self._read, service, operation, body)

    def _read(self, service: str, operation: str, body: bytes) -> Any:
        envelope = parse_envelope(body)
        _check_fault(envelope, operation)
        try:
            answer = self._bindings[service].get(operation).process_reply(envelope)
            return serialize_object(answer, dict)  # type: ignore[no-untyped-call]
        except _UNREADABLE:
            raise OnvifError(OnvifCause.PROTOCOL_ERROR, f"the answer to {operation} cannot be read") from None


_lock = threading.Lock()
_loaded: list[Soap] = []


async def load() -> Soap:
    """Load the one `Soap` of the process, made at the first call."""
    return _loaded[0] if _loaded else await asyncio.to_thread(_load)


def _load() -> Soap:
    with _lock:
        if not _loaded:
            _loaded.append(Soap())
        return _loaded[0]


def parse_envelope(body: bytes) -> Any:
    """Parse a SOAP message to its root. Raises OnvifError: not_onvif when it is none, protocol_error for a document
    type and for more elements or attributes than any device needs."""
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=True, remove_comments=True
    )
    try:
        root = etree.fromstring(body, parser)
    except (etree.LxmlError, ValueError):
        root = None
    if root is None or root.tag not in _ENVELOPES:
        raise OnvifError(OnvifCause.NOT_ONVIF, "the answer is no SOAP message")
    if root.getroottree().docinfo.doctype:
        raise OnvifError(OnvifCause.PROTOCOL_ERROR, "the answer holds a document type, which SOAP forbids")
    for count, element in enumerate(root.iter(), start=1):
        if count > _MAX_ELEMENTS or len(element.attrib) > _MAX_ATTRIBUTES:
            raise OnvifError(OnvifCause.PROTOCOL_ERROR, "the answer has too many elements or attributes")
    return root


def _check_fault(envelope: Any, operation: str) -> None:
    fault = next((child for body in envelope.iterchildren("{*}Body") for child in body.iterchildren("{*}Fault")), None)
    if fault is None:
        return
    words = " ".join(text for text in fault.itertext() if text.strip())[:4000]
    if _ABOUT_LOGIN.search(words):
        raise LoginWantedError
    raise FaultError(operation)
