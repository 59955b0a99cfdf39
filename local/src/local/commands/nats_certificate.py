"""The certificate of a NATS cluster, and the authority that signs it: made once, renewed before it ends."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from vonggac.settings.passwords import write_private

AUTHORITY_LASTS = timedelta(days=3650)
CERTIFICATE_LASTS = timedelta(days=730)
RENEWED_BEFORE = timedelta(days=90)
SERVERS = 3
_TOLERATED_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM texts."""

    authority: str
    certificate: str
    key: str


def names_of_servers(name: str, namespace: str) -> tuple[str, ...]:
    """All names by which clients and routes know the servers of the chart's Service `name`.

    `localhost` too: a backup goes through a forwarded port.
    """
    short = [name, *(f"{name}-{number}.{name}-nodes" for number in range(SERVERS))]
    return (*short, *(f"{one}.{namespace}{suffix}" for one in short for suffix in ("", ".svc")), "localhost")


def ensure_certificate(folder: Path, names: tuple[str, ...], now: datetime | None = None) -> Certificate:
    """Keep the certificate in the folder; make one when there is none, it ends soon, or it has not all names.

    The authority stays, so servers and clients with the old certificate and the new one trust each other. `now` is
    real time unless given: TLS reads the clock. Raises OSError when the folder is not writable.
    """
    now = now or datetime.now(UTC)
    authority_file, certificate_file = folder / "ca.crt", folder / "tls.crt"
    if not authority_file.exists():
        _make_authority(folder, now)
    if not certificate_file.exists() or not _serves(certificate_file, names, now):
        _make_certificate(folder, names, now)
    return Certificate(*((folder / name).read_text("ascii") for name in ("ca.crt", "tls.crt", "tls.key")))


def _serves(file: Path, names: tuple[str, ...], now: datetime) -> bool:
    present = x509.load_pem_x509_certificate(file.read_bytes())
    listed = present.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    has = set(listed.get_values_for_type(x509.DNSName))
    return has >= set(names) and present.not_valid_after_utc - now > RENEWED_BEFORE


def _make_authority(folder: Path, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vong Gac NATS authority")])
    builder = _builder(name, name, key.public_key(), now, AUTHORITY_LASTS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    signed = builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())
    write_private(folder / "ca.key", _private_pem(key))
    write_private(folder / "ca.crt", signed.public_bytes(serialization.Encoding.PEM).decode("ascii"))


def _make_certificate(folder: Path, names: tuple[str, ...], now: datetime) -> None:
    authority = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    builder = _builder(subject, authority.subject, key.public_key(), now, CERTIFICATE_LASTS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    # A server is the client of the other servers' routes.
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = builder.add_extension(purposes, critical=False)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    signed = builder.add_extension(by, critical=False).sign(signer, hashes.SHA256())
    write_private(folder / "tls.key", _private_pem(key))
    write_private(folder / "tls.crt", signed.public_bytes(serialization.Encoding.PEM).decode("ascii"))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - _TOLERATED_SKEW).not_valid_after(now + lasts)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem.decode("ascii")
