"""A SAML identity provider that has nothing in common with ours: pysaml2's, with xmlsec1, in this process."""

from __future__ import annotations

import base64
import copy
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

BASE = "https://idp.example.test"
ENTITY, SSO, SLO = f"{BASE}/metadata", f"{BASE}/sso", f"{BASE}/slo"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

_SIGNED = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"
_TEMPLATE = """<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Type="http://www.w3.org/2001/04/xmlenc#Element">
  <xenc:EncryptionMethod Algorithm="{data}"/>
  <ds:KeyInfo><xenc:EncryptedKey>
    <xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"/>
    <ds:KeyInfo/><xenc:CipherData><xenc:CipherValue/></xenc:CipherData>
  </xenc:EncryptedKey></ds:KeyInfo>
  <xenc:CipherData><xenc:CipherValue/></xenc:CipherData>
</xenc:EncryptedData>"""


class SamlProvider:
    """What it knows of a service provider is its metadata."""

    def __init__(self, folder: Path, service_provider: str, base: str = BASE) -> None:
        self.service_provider, self._base = service_provider, base
        self.key_pem, self.certificate_pem = pair()
        (folder / "key.pem").write_text(self.key_pem)
        (folder / "certificate.pem").write_text(self.certificate_pem)
        self._folder = folder

    @cached_property
    def server(self) -> Any:
        from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
        from saml2.config import IdPConfig
        from saml2.server import Server

        configuration = IdPConfig()
        configuration.load(
            {
                "entityid": f"{self._base}/metadata",
                "service": {
                    "idp": {
                        "endpoints": {
                            "single_sign_on_service": [
                                (f"{self._base}/sso", BINDING_HTTP_REDIRECT),
                                (f"{self._base}/sso/post", BINDING_HTTP_POST),
                            ],
                            "single_logout_service": [(f"{self._base}/slo", BINDING_HTTP_REDIRECT)],
                        },
                        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
                        "want_authn_requests_signed": False,
                    }
                },
                "key_file": str(self._folder / "key.pem"),
                "cert_file": str(self._folder / "certificate.pem"),
                "encryption_keypairs": [],
                "metadata": {"inline": [self.service_provider]},
                "xmlsec_binary": "/usr/bin/xmlsec1",
                "delete_tmpfiles": True,
            }
        )
        return Server(config=configuration)

    def metadata(self) -> bytes:
        """As it publishes itself."""
        from saml2.metadata import create_metadata_string

        return bytes(create_metadata_string(None, config=self.server.config, sign=False))

    def asked(self, encoded: str, binding: str, **signed: Any) -> Any:
        """The request that a browser has brought: its id, where to answer; checked as pysaml2 checks it."""
        return self.server.parse_authn_request(encoded, binding, **signed).message

    def answer(
        self,
        acs_url: str,
        entity_id: str,
        in_response_to: str = "",
        *,
        name_id: str = "dora@example.test",
        name_id_format: str = EMAIL,
        authenticated: int = 0,
        attributes: dict[str, list[str]] | None = None,
        sign_assertion: bool = True,
        sign_response: bool = False,
        **more: Any,
    ) -> bytes:
        """A response about somebody who has logged in, as it comes into the form's field, before base64.

        ``authenticated``: when they did that, in Unix seconds; 0: now.
        """
        from saml2.saml import NameID

        response = self.server.create_authn_response(
            identity=copy.deepcopy(attributes or {"uid": ["dora"], "mail": ["dora@example.test"]}),
            in_response_to=in_response_to or None,
            destination=acs_url,
            sp_entity_id=entity_id,
            name_id=NameID(format=name_id_format, text=name_id),
            authn={
                "class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
                **({"authn_instant": authenticated} if authenticated else {}),
            },
            sign_assertion=sign_assertion,
            sign_response=sign_response,
            sign_alg=_SIGNED,
            digest_alg=_DIGEST,
            **more,
        )
        return str(response).encode()

    def encrypted(self, message: bytes, certificate_pem: str, folder: Path, session_key: str, data: str) -> bytes:
        """The response with its assertion encrypted by xmlsec1; ``data`` is the algorithm."""

        root = etree.fromstring(message)
        assertion = root.find("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")
        wrapper = etree.SubElement(root, "{urn:oasis:names:tc:SAML:2.0:assertion}EncryptedAssertion")
        wrapper.append(assertion)
        (folder / "plain.xml").write_bytes(etree.tostring(root))
        (folder / "template.xml").write_text(_TEMPLATE.format(data=data))
        (folder / "to.pem").write_text(certificate_pem)
        done = subprocess.run(
            [
                "/usr/bin/xmlsec1",
                "--encrypt",
                "--pubkey-cert-pem",
                str(folder / "to.pem"),
                "--session-key",
                session_key,
                "--xml-data",
                str(folder / "plain.xml"),
                "--node-xpath",
                "//*[local-name()='EncryptedAssertion']/*[local-name()='Assertion']",
                str(folder / "template.xml"),
            ],
            check=True,
            capture_output=True,
        )
        return done.stdout

    def logout_message(self, to: str, name_id: str, session_index: str) -> bytes:
        """A request to end somebody's login, signed in itself."""
        return str(self._logout_request(to, name_id, session_index, sign=True)).encode()

    def logout_url(self, to: str, name_id: str, session_index: str, *, relay_state: str = "", age: float = 0.0) -> str:
        """The same in a signed URL; ``age``: how many seconds ago it was written."""
        message = self._logout_request(to, name_id, session_index, sign=False)
        message.issue_instant = (datetime.now(UTC) - timedelta(seconds=age)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._in_url(message, to, relay_state, response=False)

    def logout_asked(self, url: str) -> Any:
        """The request with which a browser has come to log out, checked as pysaml2 checks it."""
        from saml2 import BINDING_HTTP_REDIRECT

        query = dict(parse_qsl(urlsplit(url).query))
        signed = {"sigalg": query["SigAlg"], "signature": query["Signature"]}
        return self.server.parse_logout_request(query["SAMLRequest"], BINDING_HTTP_REDIRECT, **signed).message

    def logout_answer(self, request: Any, to: str, *, done: bool = True) -> str:
        """The signed URL that says so, or that it was not possible."""
        from saml2 import BINDING_HTTP_REDIRECT
        from saml2.s_utils import error_status_factory
        from saml2.samlp import STATUS_PARTIAL_LOGOUT

        status = None if done else error_status_factory((STATUS_PARTIAL_LOGOUT, "some are left"))
        message = self.server.create_logout_response(request, [BINDING_HTTP_REDIRECT], status=status, sign=False)
        return self._in_url(message, to, "", response=True)

    def logout_confirmed(self, url: str) -> Any:
        """Our answer to its own request: signed with our key, for it, and a success."""
        from saml2 import BINDING_HTTP_REDIRECT
        from saml2.sigver import verify_redirect_signature

        query = dict(parse_qsl(urlsplit(url).query))
        backend = self.server.sec.sec_backend
        certificates = self.server.metadata.certs(self._ours, "spsso", "signing")
        assert any(verify_redirect_signature(query, backend, certificate[1]) for certificate in certificates)
        return self.server.parse_logout_request_response(query["SAMLResponse"], BINDING_HTTP_REDIRECT)

    @property
    def _ours(self) -> str:
        """The one service provider that it knows."""
        (entity,) = self.server.metadata.service_providers()
        return str(entity)

    def _logout_request(self, to: str, name_id: str, session_index: str, *, sign: bool) -> Any:
        from saml2.saml import NameID

        _, message = self.server.create_logout_request(
            to,
            self._ours,
            name_id=NameID(format=EMAIL, text=name_id),
            session_indexes=[session_index] if session_index else None,
            sign=sign,
            sign_alg=_SIGNED,
            digest_alg=_DIGEST,
        )
        return message

    def _in_url(self, message: Any, to: str, relay_state: str, *, response: bool) -> str:
        from saml2 import BINDING_HTTP_REDIRECT

        found = self.server.apply_binding(
            BINDING_HTTP_REDIRECT, str(message), to, relay_state, response=response, sign=True, sigalg=_SIGNED
        )
        return str(dict(found["headers"])["Location"])

    def declines(self, acs_url: str, in_response_to: str) -> bytes:
        """A response that says that nobody was logged in."""
        from saml2.samlp import STATUS_AUTHN_FAILED

        return str(
            self.server.create_error_response(in_response_to, acs_url, (STATUS_AUTHN_FAILED, "no"), sign=False)
        ).encode()


def in_form(message: bytes) -> str:
    """As the field ``SAMLResponse`` has it."""
    return base64.b64encode(message).decode()


def pair() -> tuple[str, str]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, certificate.public_bytes(Encoding.PEM).decode()
