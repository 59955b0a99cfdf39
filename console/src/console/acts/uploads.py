"""Files that people hand in: which there are, where they go, and to whom they are offered."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.acts.permitted import may_call
from console.words.catalogue import mark
from vonggac.auth.rights import Principal

METHOD = "PUT"
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
_BEGINNINGS = {b"%PDF-": PDF, b"\xff\xd8\xff": JPEG, b"\x89PNG\r\n\x1a\n": PNG}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One kind of file. `title` is for the catalogue; `after`: where it leads, with `{thing_id}`."""

    service: str
    path: str
    """With `{sha256}` where the service has files by their digest."""
    title: str
    after: str
    media_types: frozenset[str]


UPLOADS: Mapping[str, Upload] = {
    "issued-paper": Upload(
        service="reporting",
        path="/v1/issued-papers/{paper_id}/file",
        title=mark("Hand in the signed file"),
        after="/reports",
        media_types=frozenset({PDF}),
    ),
    "directive-scan": Upload(
        service="inventory",
        path="/v1/directives/{thing_id}/scan",
        title=mark("Hand in the scan of the directive"),
        after="/register/directives/{thing_id}",
        media_types=frozenset({PDF, JPEG, PNG}),
    ),
    "survey-attachment": Upload(
        service="inventory",
        path="/v1/surveys/{thing_id}/attachments/{sha256}",
        title=mark("Hand in a photo or paper of the survey"),
        after="/register/surveys/{thing_id}",
        media_types=frozenset({PDF, JPEG, PNG}),
    ),
}


def may_upload(caller: Principal | None, kind: str) -> bool:
    """Whether a page offers it."""
    upload = UPLOADS[kind]
    return may_call(caller, upload.service, METHOD, upload.path)


def media_type_of(content: bytes) -> str | None:
    """By its first bytes; None for what is no file of these."""
    return next((found for begin, found in _BEGINNINGS.items() if content.startswith(begin)), None)
