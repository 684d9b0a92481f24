"""The administrators' pages about SAML sources: set up from metadata, changed, tried, removed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client

from doorward.identity.crypto.models import CertificateKeyPair
from doorward.identity.directory.models import User
from doorward.identity.flows.models import Flow
from doorward.identity.sources.saml.models import SAMLSource
from peers.saml_provider import pair

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("login_flows")]
NEW, ROOT = "/if/admin/new/source/saml/", "/if/admin/sources/"
ENTITY = "https://idp.example.test/entity"


def metadata(*certificates: str, where: str = "https://idp.example.test", kind: str = "IDPSSO") -> str:
    """As providers publish it, with both ways to log in."""
    keys = "".join(
        f'<KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{pem.split("-----")[2]}'
        "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>"
        for pem in certificates
    )
    binding = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-"
    return (
        '<?xml version="1.0"?><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{ENTITY}">'
        f'<{kind}Descriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{keys}'
        f'<SingleLogoutService Binding="{binding}Redirect" Location="{where}/slo"/>'
        f'<SingleSignOnService Binding="{binding}POST" Location="{where}/sso/post"/>'
        f'<SingleSignOnService Binding="{binding}Redirect" Location="{where}/sso"/>'
        f"</{kind}Descriptor></EntityDescriptor>"
    )


@pytest.fixture(scope="module")
def certificates() -> tuple[str, str]:
    return pair()[1], pair()[1]


@pytest.fixture
def published(certificates: tuple[str, str]) -> Iterator[str]:
    """The address of the metadata; anything else there is a page."""

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = metadata(*certificates, where=base).encode() if self.path == "/metadata" else b"hello"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"{base}/metadata"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def admin(client: Client, akadmin: User) -> Client:
    client.force_login(akadmin)
    return client


def fields(**more: Any) -> dict[str, Any]:
    flows = {name: Flow.objects.get(slug=f"default-source-{name}").pk for name in ("authentication", "enrollment")}
    return {
        "name": "Company",
        "slug": "company",
        "enabled": "on",
        "signed_assertion": "on",
        "binding_type": "REDIRECT",
        "name_id_policy": SAMLSource.NameIdPolicy.PERSISTENT,
        "signature_algorithm": SAMLSource.Algorithm.RSA_SHA256,
        "digest_algorithm": SAMLSource.Digest.SHA256,
        "user_matching_mode": "identifier",
        "group_matching_mode": "identifier",
        "policy_engine_mode": "any",
        "user_path_template": "goauthentik.io/sources/%(slug)s",
        "authentication_flow": flows["authentication"],
        "enrollment_flow": flows["enrollment"],
        "pre_authentication_flow": Flow.objects.get(slug="default-source-pre-authentication").pk,
        **more,
    }


def test_a_provider_is_set_up_from_its_metadata(admin: Client, certificates: tuple[str, str]) -> None:
    """Addresses, entity ID and both keys are taken from it; the page says what the provider has to be told."""
    assert b"SAML" in admin.get("/if/admin/new/source/").content
    assert "/source/saml/SLUG/acs/" in admin.get(NEW).content.decode()
    answer = admin.post(NEW, fields(metadata=metadata(*certificates)))
    assert answer.status_code == 303, answer.content.decode()
    source = SAMLSource.objects.get()
    assert (source.sso_url, source.slo_url) == ("https://idp.example.test/sso", "https://idp.example.test/slo")
    assert source.provider_entity_id == ENTITY and source.verification_kp.certificate_pem.count("BEGIN") == 2
    page = admin.get(f"{ROOT}company/").content.decode()
    assert "https://auth.example.test/source/saml/company/acs/" in page and ENTITY in page

    # Saved as it is, it stays as it is; a provider that changes its key is read again.
    changed = fields(sso_url=source.sso_url, verification_kp=source.verification_kp_id, name="Renamed")
    assert admin.post(f"{ROOT}company/", changed).status_code == 303
    assert admin.post(f"{ROOT}company/", {**changed, "metadata": metadata(certificates[1])}).status_code == 303
    source.refresh_from_db()
    assert source.name == "Renamed" and source.verification_kp.certificate_pem.count("BEGIN") == 1
    assert CertificateKeyPair.objects.filter(name__startswith="SAML: ").count() == 2
    assert admin.post(f"{ROOT}company/", {**changed, "metadata": metadata(certificates[1])}).status_code == 303
    assert CertificateKeyPair.objects.filter(name__startswith="SAML: ").count() == 2
    assert admin.post(f"{ROOT}company/delete/").status_code == 303 and not SAMLSource.objects.exists()


def test_metadata_is_fetched_and_the_provider_tried(admin: Client, published: str) -> None:
    """By our own client; trying it says what is there, and what an administrator should know."""
    assert admin.post(NEW, fields(metadata_url=published)).status_code == 303
    page = admin.get(f"{ROOT}company/?try").content.decode()
    for sentence in ("is there.", "Signatures are checked with", "requests are not signed"):
        assert sentence in page
    answer = admin.post(NEW, fields(metadata_url=published.replace("/metadata", "/other"), slug="b", name="B"))
    assert answer.status_code == 400 and "no XML" in answer.content.decode()
    assert (
        "169.254"
        in admin.post(NEW, fields(metadata_url="http://169.254.169.254/", slug="b", name="B")).content.decode()
    )


def test_a_provider_without_metadata_is_set_up_by_hand(admin: Client, certificates: tuple[str, str]) -> None:
    """With its address and certificate; without the certificate there is no source."""
    by_hand = fields(sso_url="https://idp.example.test/sso")
    assert "with which certificate?" in admin.post(NEW, by_hand).content.decode()
    assert "Give its metadata" in admin.post(NEW, fields()).content.decode()
    assert "Unable to load certificate" in admin.post(NEW, {**by_hand, "certificate": "nonsense"}).content.decode()
    assert not SAMLSource.objects.exists() and not CertificateKeyPair.objects.exists()
    assert admin.post(NEW, {**by_hand, "certificate": certificates[0]}).status_code == 303


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "Give its metadata"),
        ("<x", "no XML"),
        ("<!DOCTYPE x [<!ENTITY e 'e'>]><x>&e;</x>", "document type"),
        (metadata("-----x-----a!b-----"), "not in base64"),
        (metadata(), "no certificate"),
        (metadata(kind="SPSSO"), "0 identity providers"),
        (metadata().replace("SAML:2.0:protocol", "SAML:1.1:protocol"), "does not speak SAML 2.0"),
        (metadata().replace("entityID", 'validUntil="2020-01-01T00:00:00Z" entityID'), "too old"),
    ],
)
def test_what_is_no_metadata_is_explained(admin: Client, document: str, says: str) -> None:
    """The sentence stands at the field."""
    assert says in admin.post(NEW, fields(metadata=document)).content.decode()
    assert not SAMLSource.objects.exists()
