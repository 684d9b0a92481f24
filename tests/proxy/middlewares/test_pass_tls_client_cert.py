"""``passTLSClientCert``: what the application is told about the client's certificate."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from urllib.parse import unquote_plus

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from doorward.messages.routing import (
    Certificate,
    CertificateFields,
    CertificateInfo,
    PassTlsClientCert,
    TlsOptions,
)
from doorward.proxy.middlewares.pass_tls_client_cert import PassTlsClientCertMiddleware
from net.certificates import Authority
from proxy.engine.conftest import stage as stage
from proxy.engine.stage import Stage, get
from proxy.engine.tls import client_context, router, serve, table, tls_client
from proxy.made import admitted, values

COMPANY, STRANGERS = Authority("Company"), Authority("Strangers")
NAME = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
        x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Some State"),
        x509.NameAttribute(NameOID.LOCALITY_NAME, "Lyon"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Cheese"),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Unit1"),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Unit2"),
        x509.NameAttribute(NameOID.COMMON_NAME, "bob é"),
        x509.NameAttribute(NameOID.SERIAL_NUMBER, "sn-1"),
        x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "org"),
        x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "cheese"),
    ]
)
ALTERNATIVES = [
    x509.UniformResourceIdentifier("spiffe://x/y"),
    x509.DNSName("a.test"),
    x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
    x509.RFC822Name("m@x.test"),
]
EVERYTHING = CertificateFields(*[True] * 8)
FULL = PassTlsClientCert("m@file", True, CertificateInfo(True, True, True, True, EVERYTHING, EVERYTHING))
PEM, INFO = b"x-forwarded-tls-client-cert", b"x-forwarded-tls-client-cert-info"


def der(certificate: Certificate) -> tuple[bytes, ...]:
    chain = x509.load_pem_x509_certificates(certificate.chain_pem.encode())
    return tuple(one.public_bytes(Encoding.DER) for one in chain)


def passed(certificate: Certificate | None, middleware: PassTlsClientCert = FULL, **more: object) -> tuple[str, str]:
    """Both fields as the application gets them; the second decoded."""
    request = admitted(**more)  # type: ignore[arg-type]
    assert request.connection is not None
    request.connection = type(request.connection)(
        "192.0.2.7", 443, True, "default", der(certificate) if certificate else ()
    )
    assert PassTlsClientCertMiddleware(middleware).enter(request) is None
    pem, info = (b"".join(values(request, name)).decode("ascii") for name in (PEM, INFO))
    return pem, unquote_plus(info)


def test_everything_in_traefiks_form() -> None:
    """The order and the words of the original."""
    bob = COMPANY.client(NAME, ALTERNATIVES)
    leaf = x509.load_pem_x509_certificate(bob.chain_pem.encode())

    pem, info = passed(bob)

    assert base64.b64decode(pem) == der(bob)[0]
    assert info == (
        'Subject="DC=org,DC=cheese,C=FR,ST=Some State,L=Lyon,O=Cheese,OU=Unit1,OU=Unit2,SN=sn-1,CN=bob é";'
        f'Issuer="CN=Company";SerialNumber="{leaf.serial_number}";'
        f'NB="{leaf.not_valid_before_utc.timestamp():.0f}";NA="{leaf.not_valid_after_utc.timestamp():.0f}";'
        'SAN="a.test,m@x.test,10.0.0.1,spiffe://x/y"'
    )


def test_only_what_is_wanted() -> None:
    """Each part by its own switch."""
    wanted = CertificateInfo(subject=CertificateFields(common_name=True))

    assert passed(COMPANY.client("bob"), PassTlsClientCert("m", info=wanted)) == ("", 'Subject="CN=bob"')
    assert passed(COMPANY.client("bob"), PassTlsClientCert("m", pem=True))[1] == ""


def test_the_field_is_one_line_of_ascii() -> None:
    """Nothing in a certificate can end the line or begin another field."""  # S-128
    request = admitted()
    request.connection = type(request.connection)("x", 443, True, "default", der(COMPANY.client("a\r\nX: y")))  # type: ignore[misc]
    PassTlsClientCertMiddleware(FULL).enter(request)

    for name in (PEM, INFO):
        (value,) = values(request, name)
        assert value.isascii()
        assert value.decode().isprintable()
        assert b" " not in value


@pytest.mark.parametrize("evil", ['a",CN="admin', 'a";Issuer="x', "a,CN=admin", "a\\"])
def test_a_name_cannot_add_a_part(evil: str) -> None:
    """What separates values is escaped within them."""  # S-128
    wanted = PassTlsClientCert("m", info=CertificateInfo(subject=CertificateFields(common_name=True)))

    _, info = passed(COMPANY.client(evil), wanted)

    assert info.startswith('Subject="CN=a\\')
    inside = info.removeprefix('Subject="').removesuffix('"')
    assert not any(inside[at] in '",;' and inside[at - 1] != "\\" for at in range(len(inside)))


def test_without_a_certificate_nothing_is_said() -> None:
    """A client's own words went at the entry point; those of a trusted proxy stay."""  # S-128
    forged = ((b"X-Forwarded-Tls-Client-Cert", b"forged"), (b"X-Forwarded-Tls-Client-Cert-Info", b"forged"))

    assert passed_with(*forged) == [[], []]
    assert passed_with(*forged, trusted=("192.0.2.7",)) == [[b"forged"], [b"forged"]]


def passed_with(*headers: tuple[bytes, bytes], trusted: tuple[str, ...] = ()) -> list[list[bytes]]:
    request = admitted(*headers, trusted=trusted)
    PassTlsClientCertMiddleware(FULL).enter(request)
    return [values(request, name) for name in (PEM, INFO)]


def test_our_own_word_replaces_every_other() -> None:
    """With a certificate, not even a trusted proxy's copy stays beside it."""  # S-128
    request = admitted((b"X-Forwarded-Tls-Client-Cert", b"forged"), trusted=("192.0.2.7",))
    request.connection = type(request.connection)("192.0.2.7", 443, True, "default", der(COMPANY.client("bob")))  # type: ignore[misc]
    PassTlsClientCertMiddleware(FULL).enter(request)

    assert values(request, PEM) != [b"forged"]
    assert len(values(request, PEM)) == 1


async def seen(stage: Stage, identity: Certificate | None, ca: str = COMPANY.pem, names: int = 1) -> list[bytes]:
    """The certificates that the application was given for a client with ``identity``."""
    made = table(
        router("r", middlewares=(PassTlsClientCert("m@file", pem=True),)),
        tls_options={"default": TlsOptions(client_certificate="optional", client_ca_pem=ca)},
    )
    await serve(stage, made)
    client = await tls_client(stage, "one.test", client_context(identity))
    forged = get(b"/", b"X-Forwarded-Tls-Client-Cert: forged")
    assert (await client.ask(forged)).status == 200
    return [base64.b64decode(one) for value in stage.application.requests[-1].values(PEM) for one in value.split(b",")]


async def test_over_a_real_handshake(stage: Stage) -> None:
    """The certificate that the client proved, with the issuers that it sent."""
    department = COMPANY.authority("Department")
    ann = department.client("ann", also=(department,))

    assert await seen(stage, ann) == list(der(ann))


async def test_certificates_of_others_do_not_pass(stage: Stage) -> None:
    """What a client sends behind its own chain and cannot prove is not told."""
    admin = STRANGERS.client("admin")
    bob = COMPANY.client("bob")
    sneaky = replace(bob, chain_pem=bob.chain_pem + admin.chain_pem)

    assert await seen(stage, sneaky) == [der(bob)[0]]


async def test_no_certificate_over_tls(stage: Stage) -> None:
    """The forged field is gone."""  # S-128
    assert await seen(stage, None) == []


async def test_two_clients_do_not_mix(stage: Stage) -> None:
    """Each connection's own certificate."""
    bob, ann = COMPANY.client("bob"), COMPANY.client("ann")
    assert await seen(stage, bob) == [der(bob)[0]]
    clients = [await tls_client(stage, "one.test", client_context(who)) for who in (ann, bob)]

    await asyncio.gather(*(client.ask(get(b"/%d" % number)) for number, client in enumerate(clients)))

    told = {request.target: base64.b64decode(request.values(PEM)[0]) for request in stage.application.requests[1:]}
    assert told == {b"/0": der(ann)[0], b"/1": der(bob)[0]}
