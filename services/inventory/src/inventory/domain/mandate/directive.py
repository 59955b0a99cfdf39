"""Directives: the documents that order something (R01), the chain in which one carries out another, and the letterhead
of the papers on one: who writes to whom, and who gets a copy (R22)."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from inventory.domain.fields import PERIOD_HEADINGS, Code, Dated, Fields, Line, Name
from inventory.domain.text import clean, fold
from vonggac.events.inventory import RecipientGroup, RecipientSight
from vonggac.net.address_secrets import secret_parameters
from vonggac.net.url import strip_userinfo

HEADINGS: Mapping[str, str] = {
    "code": "Mã văn bản",
    "number": "Số, ký hiệu",
    "issuer_id": "Mã cơ quan ban hành",
    "issued_on": "Ngày ban hành",
    "subject": "Trích yếu",
    "signer": "Người ký",
    "file_name": "Tên tệp",
    "file_sha256": "SHA-256 của tệp",
    "link": "Đường dẫn",
    "implements_id": "Mã văn bản được thực hiện",
    "supersedes_id": "Mã văn bản được thay thế",
    "source": "Nguồn",
    "letterhead": "Thể thức văn bản",
    **PERIOD_HEADINGS,
}
_UNFIT = re.compile(r"[^A-Z0-9._]+")
_DASHES = re.compile("[‐-―]")


def number_code(number: str, issued_on: date) -> str:
    """Build the code of a document's number in its year: `597/CĐ-BCĐ` and `597/CD-BCĐ` of 2021 are both
    597-CD-BCD-2021.

    Letters print one number in several ways; folding makes them one.
    """
    bare = _UNFIT.sub("-", fold(_DASHES.sub("-", number)).upper()).strip("-._")
    return f"{bare[:59]}-{issued_on.year}"


def check_link(link: str) -> str:
    """Raise ValueError when the link brings a login or a token: everybody reads it."""
    if strip_userinfo(link) != link or any(value for _, value in secret_parameters(link.partition("?")[2])):
        msg = "holds a login or a token: leave it out, everybody reads the link"
        raise ValueError(msg)
    return link


MOST_COPIES = 99
MOST_RECIPIENTS = 20
_ONCE = (RecipientGroup.ADDRESSEES, RecipientGroup.ARCHIVE)


class Recipient(Fields):
    """A line of «Nơi nhận»."""

    group: RecipientGroup
    name: Name | None = Field(
        default=None,
        description="As printed, e.g. Chủ tịch, các PCT UBND tỉnh; of the archive the units, e.g. VT, VX. Left out for "
        "`addressees` alone: «Như trên».",
    )
    copies: int = Field(default=1, ge=1, le=MOST_COPIES, description="Printed copies.")
    sees: RecipientSight = Field(default=RecipientSight.WHOLE, description="What the copy has.")

    @model_validator(mode="after")
    def _is_named(self) -> Self:
        if (self.name is None) != (self.group is RecipientGroup.ADDRESSEES):
            msg = "name goes with every group but addressees, who are named in «Kính gửi»"
            raise ValueError(msg)
        return self


class LetterheadFields(Fields):
    """What stands around a report or letter. What is left out is as the register or the request has it."""

    addressees: Annotated[tuple[Name, ...], Field(max_length=MOST_RECIPIENTS)] = Field(
        default=(), description="«Kính gửi» of a report on the directive, one a line."
    )
    recipients: Annotated[tuple[Recipient, ...], Field(max_length=MOST_RECIPIENTS)] = Field(
        default=(), description="«Nơi nhận» of a report, in this order; the archive comes last."
    )
    place: Name | None = Field(default=None, description="Where it is signed: before the date.")
    drafting_unit: Annotated[str, Field(pattern=r"^[0-9A-ZĐƯ]{1,20}$")] | None = Field(
        default=None, description="Behind the agency in the symbol.", examples=["BCVT"]
    )
    signer_authority: Name | None = Field(
        default=None, description="On whose behalf, e.g. KT. GIÁM ĐỐC; left out where the head signs."
    )
    signer_title: Name | None = Field(default=None, description="Post of the signer, e.g. PHÓ GIÁM ĐỐC.")
    signer_name: Name | None = Field(default=None, description="Full name, without academic titles.")
    subject: Line | None = Field(default=None, description="Trích yếu of a report on the directive.")

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        groups = [one.group for one in self.recipients]
        for group in _ONCE:
            if groups.count(group) > 1:
                msg = f"recipients has {group} more than once"
                raise ValueError(msg)
        if RecipientGroup.ARCHIVE in groups[:-1]:
            msg = "recipients ends with the archive: «Lưu: VT, VX.» is the last line"
            raise ValueError(msg)
        if self.signer_name is not None and self.signer_title is None:
            msg = "signer_name goes with signer_title: a name is signed below a post"
            raise ValueError(msg)
        return self


type Link = Annotated[
    str,
    AfterValidator(clean),
    StringConstraints(max_length=500, pattern=r"^https?://[^\s]+$"),
    AfterValidator(check_link),
]


class DirectiveFields(Dated):
    """A directive. Its number is free text, as printed."""

    code: Code = Field(default="", description="Left out: made of the number and the year, e.g. 597-CD-BCD-2021.")
    number: Name = Field(description="Number and symbol as printed, e.g. 1742/UBND-VX.")
    issuer_id: UUID = Field(description="The agency that issued it.")
    issued_on: date
    subject: Line = Field(description="Trích yếu.")
    signer: Name | None = None
    file_name: Name | None = None
    file_sha256: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{64}$", description="Of the file, 64 hexadecimal digits in lower case."
    )
    link: Link | None = Field(default=None, description="Where it is published.")
    implements_id: UUID | None = Field(default=None, description="The directive that it carries out.")
    supersedes_id: UUID | None = Field(default=None, description="The directive that it replaces.")
    source: Line | None = Field(default=None, description="Where this entry comes from, if not from the document.")
    letterhead: LetterheadFields | None = Field(
        default=None, description="Of reports and letters that carry it out: addressees, recipients, place, signer."
    )

    @model_validator(mode="before")
    @classmethod
    def _make_code(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("code"):
            return given
        number, issued_on = given.get("number"), given.get("issued_on")
        if isinstance(issued_on, str):
            try:
                issued_on = date.fromisoformat(issued_on)
            except ValueError:
                return given
        if not isinstance(number, str) or not isinstance(issued_on, date):
            return given
        return {**given, "code": number_code(number, issued_on)}

    @model_validator(mode="after")
    def _file_is_whole(self) -> "DirectiveFields":
        if (self.file_name is None) != (self.file_sha256 is None):
            msg = "file_name and file_sha256 go together: give both or neither"
            raise ValueError(msg)
        return self


def chain_of(directive_id: UUID, links: Mapping[UUID, UUID | None]) -> Iterator[UUID]:
    """`directive_id`, then what it carries out, what that carries out, and so on; every directive once."""
    seen: set[UUID] = set()
    current: UUID | None = directive_id
    while current is not None and current not in seen:
        seen.add(current)
        yield current
        current = links.get(current)


def closes_circle(directive_id: UUID, target_id: UUID, links: Mapping[UUID, UUID | None]) -> bool:
    """Whether a link from `directive_id` to `target_id` would lead back to `directive_id`."""
    return directive_id in chain_of(target_id, links)
