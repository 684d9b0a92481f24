"""What an identity provider says is believed when it was signed, is for us, and is said now. Nothing else is."""

# S-455

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from doorward.identity.sources.saml.answers import Vouched, Wanted, read
from doorward.identity.sources.saml.errors import Declined, NotBelieved, NotSigned
from doorward.identity.sources.saml.messages import Ourselves
from doorward.identity.sources.saml.signature import keys_of
from doorward.identity.sources.saml.xml import ASSERTION, PROTOCOL, SIGNATURE
from peers.saml_provider import ENTITY, SamlProvider, pair

_BASE = "https://auth.example.test/source/saml/upstream/"
US = Ourselves(f"{_BASE}metadata/", f"{_BASE}acs/", f"{_BASE}slo/", f"{_BASE}metadata/")
NOW = datetime.now(UTC)


@pytest.fixture(scope="session")
def wanted(provider: SamlProvider) -> Wanted:
    return Wanted(tuple(keys_of(provider.certificate_pem)), US.entity_id, US.acs_url, True, False, False)


@pytest.fixture(scope="session")
def good(provider: SamlProvider) -> bytes:
    """A response with a signed assertion to the request ``_asked``."""
    return provider.answer(US.acs_url, US.entity_id, "_asked")


@pytest.fixture(scope="session")
def good_response(provider: SamlProvider) -> bytes:
    """The same, the response signed and the assertion not."""
    return provider.answer(US.acs_url, US.entity_id, "_asked", sign_assertion=False, sign_response=True)


def _read(raw: bytes, wanted: Wanted, now: datetime | None = None) -> Vouched:
    return read(raw, wanted, now or datetime.now(UTC))


def test_a_signed_assertion_is_believed(good: bytes, wanted: Wanted) -> None:
    """Who it is, and what is said about them."""
    said = _read(good, wanted)

    assert (said.name_id, said.issuer, said.in_response_to) == ("dora@example.test", ENTITY, "_asked")
    assert said.attributes["urn:oid:0.9.2342.19200300.100.1.1"] == ("dora",)
    assert said.until > datetime.now(UTC)


def test_both_or_only_the_response_may_be_signed(provider: SamlProvider, good_response: bytes, wanted: Wanted) -> None:
    """As the source wants it, and never neither."""
    both = provider.answer(US.acs_url, US.entity_id, "_asked", sign_response=True)
    neither = provider.answer(US.acs_url, US.entity_id, "_asked", sign_assertion=False)
    lenient = replace(wanted, signed_assertion=False)

    assert _read(both, replace(wanted, signed_response=True)).name_id == "dora@example.test"
    assert _read(good_response, lenient).name_id == "dora@example.test"
    for raw, by in ((good_response, wanted), (neither, wanted), (neither, lenient)):
        with pytest.raises(NotSigned):
            _read(raw, by)


def test_a_response_must_be_signed_where_that_is_wanted(good: bytes, wanted: Wanted) -> None:
    """A signed assertion inside is not enough then."""
    with pytest.raises(NotSigned, match="response is not signed"):
        _read(good, replace(wanted, signed_response=True))


def test_another_key_does_not_count(good: bytes, wanted: Wanted) -> None:
    """Whatever certificate the message brings along."""
    with pytest.raises(NotSigned, match="certificate of this source"):
        _read(good, replace(wanted, keys=tuple(keys_of(pair()[1]))))


def test_somebody_else_is_not_somebody_else(good: bytes, wanted: Wanted) -> None:
    """A name that is changed after signing is noticed."""
    for before, after in ((b">dora@example.test</", b">emil@example.test</"), (b"_asked", b"_other")):
        with pytest.raises(NotBelieved):
            _read(good.replace(before, after), wanted)


@pytest.mark.parametrize("inserted", ["<!-- -->", "<?x?>"])
def test_comments_cut_nothing_off(provider: SamlProvider, wanted: Wanted, inserted: str) -> None:
    """``admin@example.test<!-- -->.evil.test`` is not ``admin@example.test`` (CVE-2017-11427 and its kin)."""
    raw = provider.answer(US.acs_url, US.entity_id, "_asked", name_id="dora@example.test.evil.test")
    cut = raw.replace(b"dora@example.test.evil.test</", f"dora@example.test{inserted}.evil.test</".encode())

    if inserted == "<!-- -->":  # comments are not signed, so it is the same message
        assert _read(cut, wanted).name_id == "dora@example.test.evil.test"
    else:
        with pytest.raises(NotSigned):
            _read(cut, wanted)


def _evil(assertion: Any) -> Any:
    twin = copy.deepcopy(assertion)
    twin.set("ID", "_evil")
    twin.find(f".//{ASSERTION}NameID").text = "akadmin@example.test"
    signature = twin.find(f"{SIGNATURE}Signature")
    if signature is not None:
        twin.remove(signature)
    return twin


def _beside(root: Any, assertion: Any) -> None:
    root.insert(1, _evil(assertion))


def _after(root: Any, assertion: Any) -> None:
    root.append(_evil(assertion))


def _around(root: Any, assertion: Any) -> None:
    """The good one inside of the evil one's signature (XSW 3 to 5)."""
    evil = _evil(assertion)
    root.replace(assertion, evil)
    signature = assertion.find(f"{SIGNATURE}Signature")
    evil.insert(1, signature)
    etree.SubElement(signature, f"{SIGNATURE}Object").append(assertion)


def _inside(root: Any, assertion: Any) -> None:
    """The good one as advice of the evil one."""
    evil = _evil(assertion)
    root.replace(assertion, evil)
    etree.SubElement(evil, f"{ASSERTION}Advice").append(assertion)


def _in_extensions(root: Any, assertion: Any) -> None:
    evil = _evil(assertion)
    root.replace(assertion, evil)
    extensions = etree.Element(f"{PROTOCOL}Extensions")
    extensions.append(assertion)
    root.insert(1, extensions)


def _twin_id(root: Any, assertion: Any) -> None:
    """The evil one takes over the signature, and has the same identifier."""
    evil = _evil(assertion)
    evil.set("ID", assertion.get("ID"))
    evil.insert(1, copy.deepcopy(assertion.find(f"{SIGNATURE}Signature")))
    root.replace(assertion, evil)
    holder = etree.SubElement(root, f"{PROTOCOL}Extensions")
    thing = etree.SubElement(holder, "thing")
    thing.set("Id", assertion.get("ID"))


def _moved_signature(root: Any, assertion: Any) -> None:
    """The signature of the assertion as that of the response."""
    signature = assertion.find(f"{SIGNATURE}Signature")
    assertion.find(f".//{ASSERTION}NameID").text = "akadmin@example.test"
    root.insert(1, signature)


def _two_references(root: Any, assertion: Any) -> None:
    info = assertion.find(f"{SIGNATURE}Signature/{SIGNATURE}SignedInfo")
    info.append(copy.deepcopy(info.find(f"{SIGNATURE}Reference")))


def _another_reference(root: Any, assertion: Any) -> None:
    assertion.find(f".//{SIGNATURE}Reference").set("URI", "")


def _forged_digest(root: Any, assertion: Any) -> None:
    """A comment in the digest, before the real one (CVE-2025-29775)."""
    digest = assertion.find(f".//{SIGNATURE}DigestValue")
    real, digest.text = digest.text, ""
    comment = etree.Comment("Zm9yZ2Vk")
    comment.tail = real
    digest.append(comment)
    assertion.find(f".//{ASSERTION}NameID").text = "akadmin@example.test"


def _sha1(root: Any, assertion: Any) -> None:
    assertion.find(f".//{SIGNATURE}SignatureMethod").set("Algorithm", "http://www.w3.org/2000/09/xmldsig#rsa-sha1")


def _hmac(root: Any, assertion: Any) -> None:
    """A shared secret, which would be the public key."""
    assertion.find(f".//{SIGNATURE}SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    )


def _no_assertion(root: Any, assertion: Any) -> None:
    root.remove(assertion)


def _twice(root: Any, assertion: Any) -> None:
    root.append(copy.deepcopy(assertion))


@pytest.mark.parametrize(
    "tampering",
    [
        _beside,
        _after,
        _around,
        _inside,
        _in_extensions,
        _twin_id,
        _moved_signature,
        _two_references,
        _another_reference,
        _forged_digest,
        _sha1,
        _hmac,
        _no_assertion,
        _twice,
    ],
)
def test_what_was_signed_is_what_is_read(good: bytes, wanted: Wanted, tampering: Callable[[Any, Any], None]) -> None:
    """A signature that holds somewhere in the message says nothing about the rest of it."""
    root = etree.fromstring(good)
    tampering(root, root.find(f"{ASSERTION}Assertion"))

    with pytest.raises(NotBelieved):
        _read(etree.tostring(root), wanted)


def test_what_stands_beside_a_signed_response_is_not_read(good_response: bytes, wanted: Wanted) -> None:
    """The whole response inside of a forged one."""
    root = etree.fromstring(good_response)
    forged = copy.deepcopy(root)
    forged.set("ID", "_forged")
    forged.find(f".//{ASSERTION}NameID").text = "akadmin@example.test"
    for place in (forged.find(f"{SIGNATURE}Signature"), forged):
        whole = copy.deepcopy(forged)
        target = whole.find(f"{SIGNATURE}Signature") if place.tag.endswith("Signature") else whole
        etree.SubElement(target, f"{SIGNATURE}Object").append(copy.deepcopy(root))
        with pytest.raises(NotBelieved):
            _read(etree.tostring(whole), replace(wanted, signed_assertion=False))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"entity_id": "https://other.example.test/"}, "audience"),
        ({"acs_url": "https://other.example.test/acs/"}, "another address"),
    ],
)
def test_what_is_for_others_is_not_for_us(good: bytes, wanted: Wanted, change: dict[str, Any], reason: str) -> None:
    """Another service provider cannot pass on what it was told."""
    with pytest.raises(NotBelieved, match=reason):
        _read(good, replace(wanted, **change))


def test_the_recipient_counts_without_a_destination(good: bytes, wanted: Wanted) -> None:
    """The destination is not signed where only the assertion is."""
    root = etree.fromstring(good)
    del root.attrib["Destination"]

    with pytest.raises(NotBelieved, match="recipient"):
        _read(etree.tostring(root), replace(wanted, acs_url="https://other.example.test/acs/"))


@pytest.mark.parametrize("later", [timedelta(minutes=7), timedelta(minutes=-7)])
def test_it_is_believed_now_only(good: bytes, wanted: Wanted, later: timedelta) -> None:
    """Neither what is over nor what is yet to come; a minute of difference between clocks does not matter."""
    with pytest.raises(NotBelieved, match="old"):
        _read(good, wanted, datetime.now(UTC) + later)
    assert _read(good, wanted, datetime.now(UTC) - timedelta(seconds=50)).name_id


def test_an_answer_to_no_question_needs_permission(provider: SamlProvider, wanted: Wanted) -> None:
    """Logins that the identity provider begins are an option of the source."""
    raw = provider.answer(US.acs_url, US.entity_id)

    with pytest.raises(NotBelieved, match="no request"):
        _read(raw, wanted)
    assert _read(raw, replace(wanted, unasked=True)).in_response_to == ""


def test_that_nobody_was_logged_in_is_said(provider: SamlProvider, wanted: Wanted) -> None:
    """The provider's reason, by its name."""
    with pytest.raises(Declined, match="AuthnFailed"):
        _read(provider.declines(US.acs_url, "_asked"), wanted)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not xml",
        b"<a>" * 1000,
        b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>'.encode("utf-16"),
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1/x.dtd"><r/>',
        b"<r>" + b"x" * 300_000 + b"</r>",
        b"<r/>",
    ],
)
def test_what_is_no_message_is_refused(raw: bytes, wanted: Wanted) -> None:
    """No document types, no entities, nothing huge, nothing that is not a response."""
    with pytest.raises(NotBelieved):
        _read(raw, wanted)


@pytest.mark.parametrize(
    ("session_key", "algorithm"),
    [
        ("aes-256", "http://www.w3.org/2009/xmlenc11#aes256-gcm"),
        ("aes-128", "http://www.w3.org/2009/xmlenc11#aes128-gcm"),
    ],
)
def test_an_encrypted_assertion_is_opened(
    provider: SamlProvider,
    good: bytes,
    wanted: Wanted,
    our_key: tuple[str, str],
    tmp_path: Path,
    session_key: str,
    algorithm: str,
) -> None:
    """With the source's key, and its signature still counts."""
    raw = provider.encrypted(good, our_key[1], tmp_path, session_key, algorithm)

    assert _read(raw, replace(wanted, private_key_pem=our_key[0])).name_id == "dora@example.test"
    for key in ("", pair()[0]):
        with pytest.raises(NotBelieved):
            _read(raw, replace(wanted, private_key_pem=key))


def test_what_can_be_altered_unseen_is_not_opened(
    provider: SamlProvider, good: bytes, wanted: Wanted, our_key: tuple[str, str], tmp_path: Path
) -> None:
    """CBC without a signature around it would tell an attacker about the text."""
    raw = provider.encrypted(good, our_key[1], tmp_path, "aes-256", "http://www.w3.org/2001/04/xmlenc#aes256-cbc")

    with pytest.raises(NotBelieved, match="CBC"):
        _read(raw, replace(wanted, private_key_pem=our_key[0]))
