"""Destinations: the two monitoring centres that receive every camera (R09, R10)."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from inventory.domain.devices.addresses import (
    DESTINATION_SCHEMES_SHOWN,
    can_be_read_back,
    may_hold_stream_key,
    scheme_of,
)
from inventory.domain.devices.serving import Serving
from inventory.domain.devices.trust import Trust
from inventory.domain.fields import PERIOD_HEADINGS, Dated, ListedCode, Name
from vonggac.events.inventory import DestinationMode, DestinationRole, RequiredProof

HEADINGS = {
    "code": "Mã trung tâm",
    "name": "Tên trung tâm",
    "role": "Cấp",
    "mode": "Cách kết nối",
    "account": "Tài khoản của trung tâm",
    "url_template": "Mẫu địa chỉ nhận",
    "read_back_url_template": "Mẫu địa chỉ phát lại",
    "required_proof": "Bằng chứng yêu cầu",
    "enabled": "Đang dùng",
    "enhanced_rtmp": "Nhận H.265 qua RTMP",
    **PERIOD_HEADINGS,
}
PUBLIC_PATH_FIELD = "path_is_no_secret"
"""The field by which a caller says so."""
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def _check_account(text: str) -> str:
    if not _ACCOUNT.fullmatch(text):
        msg = "an account is 1 to 64 of a-z 0-9 . _ - and begins with a letter or digit, e.g. bo-y-te"
        raise ValueError(msg)
    return text


type Account = Annotated[str, AfterValidator(_check_account)]


class DestinationFields(Dated):
    """The fields of a destination, without its address and credentials."""

    code: ListedCode
    name: Name
    role: DestinationRole
    required_proof: RequiredProof = Field(
        default=RequiredProof.ACKNOWLEDGED,
        description="The proof that a delivery needs to count as connected.",
    )
    enabled: bool = Field(default=True, description="A disabled destination receives nothing.")
    tls: Trust | None = Field(
        default=None, description="Trust for rtsps and rtmps; by default the system's authorities."
    )
    enhanced_rtmp: bool = Field(default=False, description="The centre accepts H.265 over RTMP (enhanced RTMP).")
    serving: Serving | None = Field(
        default=None, description="Of a centre that pulls: from where, over what, and who is responsible."
    )


class NewDestination(DestinationFields):
    """A destination to add."""

    mode: DestinationMode = Field(
        default=DestinationMode.PUSH,
        description="push: cameras are published to the centre. serve: the centre pulls them from here. Given once.",
    )
    account: Account | None = Field(
        default=None,
        description="Of a centre that pulls: its user name; by default its code in lower case. Given once.",
        examples=["bo-y-te"],
    )
    url_template: str | None = Field(
        default=None,
        description=f"Address ({DESTINATION_SCHEMES_SHOWN}) with {{camera_code}} or {{camera_id}}, perhaps "
        "{facility_code}; user:password@ is split off and sealed. A centre that pulls has none: it is "
        "served://code/{camera_code} in its answers.",
        examples=["rtsp://10.9.0.1:8554/{camera_code}"],
    )
    read_back_url_template: str | None = Field(
        default=None,
        description="Address (rtsp, rtsps) where the centre plays the stream back, with the same placeholders (often "
        "the same as url_template); null: the centre plays nothing back, so nothing can be verified there. "
        "user:password@ becomes the read-back secret.",
    )
    connect_all_cameras: bool = Field(default=False, description="Create a delivery to it for every camera.")
    path_is_no_secret: bool = Field(
        default=False,
        description="Confirms, beside an RTMP address, that the part of its path that looks like a stream key is none: "
        "it is stored and shown as it is. Not stored itself.",
    )


def check_provable(proof: RequiredProof, read_back_url_template: str | None) -> None:
    """Raise ValueError when `proof` needs a read-back address and there is none."""
    if proof is RequiredProof.VERIFIED and read_back_url_template is None:
        msg = (
            "is missing, and required_proof 'verified' needs it: give the address where the centre plays the stream "
            "back (often the same as url_template), or demand 'acknowledged'"
        )
        raise ValueError(msg)
    if proof is RequiredProof.VERIFIED and read_back_url_template is not None:
        if can_be_read_back(read_back_url_template):
            return
        msg = (
            f"is an {scheme_of(read_back_url_template)} address, which cannot be read back, and required_proof "
            "'verified' needs it: give the RTSP address where the centre plays the stream, or demand 'acknowledged'"
        )
        raise ValueError(msg)


def check_no_stream_key(name: str, template: str | None, *, before: str | None, is_no_secret: bool) -> None:
    """Raise ValueError when a new address seems to hold a stream key and nobody has said that it is none.

    A reason that was given for something else says nothing about it: the word is asked by name.
    """
    if is_no_secret or template == before or not may_hold_stream_key(template):
        return
    msg = (
        f"has a part that looks like a stream key: put it into the credentials and write {{password}} there, or send "
        f"{PUBLIC_PATH_FIELD}: true beside {name} if it is none (a file cannot say that)"
    )
    raise ValueError(msg)
