"""Files that people hand in: what they are by their first bytes, and to whom they are offered."""

from uuid import uuid4

import httpx
import pytest
from console.tests.conftest import Browser
from console.tests.forms.conftest import Register
from console.tests.forms.test_fields import CONTRACTS

from console.acts.uploads import METHOD, UPLOADS, may_upload, media_type_of
from vonggac.auth.rights import Principal, Role

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


@pytest.mark.parametrize("kind", sorted(UPLOADS))
def test_every_file_goes_where_its_service_takes_it(kind: str) -> None:
    upload = UPLOADS[kind]
    operations = CONTRACTS[upload.service].operations.values()
    assert [each.path for each in operations if (each.method, each.path) == (METHOD, upload.path)] == [upload.path]


def test_a_file_is_known_by_its_first_bytes() -> None:
    found = [media_type_of(content) for content in (PDF, b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"")]
    assert found == ["application/pdf", "image/jpeg", "image/png", None, None]


def test_who_only_reads_is_offered_no_upload() -> None:
    reader, lead = (Principal("someone", frozenset({role})) for role in (Role.READER, Role.PROVINCE_LEAD))
    assert not any(may_upload(reader, kind) for kind in UPLOADS)
    assert all(may_upload(lead, kind) for kind in UPLOADS)


@pytest.mark.server
async def test_the_scan_of_a_directive_comes_back_as_it_was_handed_in(
    browsers: dict[str, Browser], register: Register
) -> None:
    issuer = await register.add("agencies", code="UBND", name="Ủy ban nhân dân tỉnh", role="peoples_committee")
    made = await register.add(
        "directives", number="1742/UBND-VX", issuer_id=issuer["id"], issued_on="2021-05-07", subject="Camera"
    )
    lead = browsers["chủ trì"]
    page = await lead.get(f"/register/directives/{made['id']}")
    assert "Nộp bản chụp văn bản chỉ đạo" in page.text
    form = f"/acts/upload/directive-scan?thing_id={made['id']}"
    assert "Hãy chọn một tệp." in (await lead.hand_in(form, "", b"")).text
    handed_in = await lead.hand_in(form, "1742.pdf", PDF)
    assert handed_in.status_code == httpx.codes.SEE_OTHER, handed_in.text
    assert handed_in.headers["location"] == f"/register/directives/{made['id']}"
    assert (await lead.get(f"/files/inventory/v1/directives/{made['id']}/scan")).content == PDF
    assert (await browsers["vận hành"].get(form)).status_code == httpx.codes.FORBIDDEN


@pytest.mark.server
@pytest.mark.parametrize("address", ["/acts/upload/no-such?thing_id={id}", "/acts/upload/directive-scan?thing_id=1"])
async def test_there_is_no_form_for_a_file_of_nothing(browsers: dict[str, Browser], address: str) -> None:
    assert (await browsers["chủ trì"].get(address.format(id=uuid4()))).status_code == httpx.codes.NOT_FOUND
