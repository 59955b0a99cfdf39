"""Two people sign one PDF, one after the other: both signatures stay valid, and it is still that report."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from reporting.documents.pdf.fields import AGENCY_FIELD, SIGNER_FIELD
from reporting.documents.verifying.verify import verify

if TYPE_CHECKING:
    from reporting.reports.snapshot.report import Report

pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


class Signer:
    """A key with a certificate that it signed itself."""

    def __init__(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    content_commitment=True,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=True,
                    crl_sign=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .sign(key, hashes.SHA256())
        )
        packed = pkcs12.serialize_key_and_certificates(
            b"test", key, certificate, None, serialization.BestAvailableEncryption(b"test")
        )
        loaded = signers.SimpleSigner.load_pkcs12_data(packed, other_certs=[], passphrase=b"test")
        assert loaded is not None
        self.signer = loaded

    async def sign(self, content: bytes, field: str) -> bytes:
        writer = IncrementalPdfFileWriter(io.BytesIO(content))
        meta = signers.PdfSignatureMetadata(field_name=field, md_algorithm="sha256")
        signed = await signers.PdfSigner(meta, signer=self.signer).async_sign_pdf(writer)
        return bytes(signed.getvalue())


def test_the_pdf_has_two_empty_fields_for_signatures(pdf: bytes) -> None:
    reader = PdfFileReader(io.BytesIO(pdf))
    found = {name: value is None for name, value, _ in fields.enumerate_sig_fields(reader)}
    assert found == {SIGNER_FIELD: True, AGENCY_FIELD: True}


async def test_a_second_signature_leaves_the_first_valid(pdf: bytes, report: Report) -> None:
    leader, agency = Signer("Lãnh đạo"), Signer("Cơ quan")
    once = await leader.sign(pdf, SIGNER_FIELD)
    twice = await agency.sign(once, AGENCY_FIELD)
    trusted = [one.signer.signing_cert for one in (leader, agency)]

    for signature in PdfFileReader(io.BytesIO(twice)).embedded_signatures:
        status = await async_validate_pdf_signature(
            signature, ValidationContext(trust_roots=trusted, allow_fetching=False)
        )
        assert (status.intact, status.valid, status.bottom_line) == (True, True, True), status.summary()

    for signed, additions in ((once, 1), (twice, 2)):
        found = verify(signed, report)
        assert found.unaltered, found.differences
        assert f"{additions} later addition" in found.notes[0]


async def test_a_signature_does_not_cover_what_is_altered_after_it(pdf: bytes) -> None:
    signed = await Signer("Lãnh đạo").sign(pdf, SIGNER_FIELD)
    altered = signed.replace(b"/Title", b"/Tytle", 1)
    assert not verify(altered).unaltered
