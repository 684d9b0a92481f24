"""``passTLSClientCert``: tell the application about the certificate with which the client proved who it is.

``X-Forwarded-Tls-Client-Cert`` holds the certificates in base64, one line, joined by commas.
``X-Forwarded-Tls-Client-Cert-Info`` holds the parts that are wanted, percent-encoded as a whole; within a value the
characters that separate values are escaped by a backslash, so that no name in a certificate can add a part (S-128).

Without a certificate nothing is touched: a client's own copies went at the entry point, those of a trusted proxy in
front of us are true.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote_plus

from cryptography import x509
from cryptography.x509.oid import NameOID

from doorward.messages.http import Header, HttpAnswer
from doorward.messages.routing import CertificateFields, CertificateInfo, PassTlsClientCert
from doorward.proxy.request import Request, ResponseHead

PEM_FIELD = b"X-Forwarded-Tls-Client-Cert"
INFO_FIELD = b"X-Forwarded-Tls-Client-Cert-Info"

_PARTS = (
    ("domain_component", NameOID.DOMAIN_COMPONENT, "DC"),
    ("country", NameOID.COUNTRY_NAME, "C"),
    ("province", NameOID.STATE_OR_PROVINCE_NAME, "ST"),
    ("locality", NameOID.LOCALITY_NAME, "L"),
    ("organization", NameOID.ORGANIZATION_NAME, "O"),
    ("organizational_unit", NameOID.ORGANIZATIONAL_UNIT_NAME, "OU"),
    ("serial_number", NameOID.SERIAL_NUMBER, "SN"),
    ("common_name", NameOID.COMMON_NAME, "CN"),
)
"""In the order in which they are written."""
_separator = re.compile(r'[\\",;\r\n]')


class PassTlsClientCertMiddleware:
    """Runs one ``passTLSClientCert``."""

    def __init__(self, middleware: PassTlsClientCert) -> None:
        self._middleware = middleware

    def enter(self, request: Request) -> HttpAnswer | None:
        """Sets the fields when there is a certificate."""
        chain = request.connection.client_chain if request.connection is not None else ()
        if chain:
            for name, value in _fields(chain, self._middleware):
                request.replace(name, value)
        return None

    def leave(self, request: Request, response: ResponseHead) -> None:
        """Nothing to do on the way out."""


@lru_cache(maxsize=1024)
def _fields(chain: tuple[bytes, ...], middleware: PassTlsClientCert) -> tuple[Header, ...]:
    fields: list[Header] = []
    if middleware.pem:
        fields.append((PEM_FIELD, b",".join(map(base64.b64encode, chain))))
    if middleware.info is not None:
        text = ",".join(";".join(_parts(x509.load_der_x509_certificate(der), middleware.info)) for der in chain)
        fields.append((INFO_FIELD, quote_plus(text).encode("ascii")))
    return tuple(fields)


def _parts(certificate: x509.Certificate, info: CertificateInfo) -> Iterator[str]:
    for label, wanted, name in (
        ("Subject", info.subject, certificate.subject),
        ("Issuer", info.issuer, certificate.issuer),
    ):
        if wanted is not None:
            yield f'{label}="{",".join(_name(name, wanted))}"'
    if info.serial_number:
        yield f'SerialNumber="{certificate.serial_number}"'
    if info.not_before:
        yield f'NB="{certificate.not_valid_before_utc.timestamp():.0f}"'
    if info.not_after:
        yield f'NA="{certificate.not_valid_after_utc.timestamp():.0f}"'
    names = list(_alternative_names(certificate)) if info.sans else []
    if names:
        yield f'SAN="{",".join(map(_escaped, names))}"'


def _name(name: x509.Name, wanted: CertificateFields) -> Iterator[str]:
    for field, oid, short in _PARTS:
        if getattr(wanted, field):
            for attribute in name.get_attributes_for_oid(oid):
                value = attribute.value
                yield f"{short}={_escaped(value if isinstance(value, str) else value.hex())}"


def _alternative_names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return
    yield from names.get_values_for_type(x509.DNSName)
    yield from names.get_values_for_type(x509.RFC822Name)
    yield from map(str, names.get_values_for_type(x509.IPAddress))
    yield from names.get_values_for_type(x509.UniformResourceIdentifier)


def _escaped(value: str) -> str:
    return _separator.sub(lambda found: f"\\{found[0]}", value)
