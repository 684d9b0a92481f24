"""Logging in through a SAML identity provider, from the button to the library, and the ways of cheating at it."""

# S-455

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client, RequestFactory
from lxml import etree

from doorward.identity.crypto.actions import import_pair
from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.flows import entrance
from doorward.identity.flows.entrance import PlanContext
from doorward.identity.flows.models import Flow, FlowStageBinding
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import SessionStore
from doorward.identity.sources.models import SourceMapping, UserSourceConnection
from doorward.identity.sources.saml import actions, chores
from doorward.identity.sources.saml.models import Handed, SAMLSource, Seen
from doorward.identity.stages.models import DummyStage
from identity.sources.saml.conftest import ERIN, US, Visitor, refused
from peers.saml_provider import SSO, SamlProvider, pair

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("source")]
SYSTEM = Actor.system()
OLD = "This message was used already."


def test_a_newcomer_is_enrolled_and_comes_again(visitor: Visitor, provider: SamlProvider) -> None:
    """The first login makes the account, the second opens it, and both end where they began."""
    end = visitor.enter("?next=/if/user/account/")

    assert (end.status_code, end["Location"]) == (302, "/if/user/account/")
    erin = User.objects.get(username="erin")
    assert (erin.name, erin.email, erin.path) == ("Erin", "erin@example.test", "goauthentik.io/sources/upstream")
    assert visitor.name == "erin"
    assert UserSourceConnection.objects.get().identifier == "erin@example.test"
    again = Visitor(provider)
    again.enter()
    assert again.name == "erin" and User.objects.filter(path=erin.path).count() == 1


def test_the_login_page_has_its_button(visitor: Visitor) -> None:
    """For people, and for programs that walk the flow."""
    page = visitor.client.get("/if/flow/default-authentication-flow/?next=/if/user/account/")
    assert b"/source/saml/upstream/?next=%2Fif%2Fuser%2Faccount%2F" in page.content
    asked = visitor.client.get("/api/v3/flows/executor/default-authentication-flow/").json()
    assert asked["sources"][0]["challenge"]["to"].startswith("/source/saml/upstream/?")


def test_what_the_provider_is_asked(visitor: Visitor, source: SAMLSource, our_key: tuple[str, str]) -> None:
    """Signed once there is a key for it: in the URL, or in the form, which works without scripts."""
    ours = import_pair(SYSTEM, name="ours", certificate_pem=our_key[1], private_key_pem=our_key[0])
    actions.update(SYSTEM, source, {"signing_kp": ours, "force_authn": True})
    url = visitor.client.get("/source/saml/upstream/")["Location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    request = visitor.provider.asked(
        query["SAMLRequest"],
        "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
        sigalg=query["SigAlg"],
        signature=query["Signature"],
    )
    assert (request.force_authn, request.assertion_consumer_service_url) == ("true", US.acs_url)
    assert "RelayState" not in query

    actions.update(SYSTEM, source, {"binding_type": "POST", "sso_url": f"{SSO}/post"})
    page = visitor.client.get("/source/saml/upstream/")
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' https://idp.example.test")
    assert f'action="{SSO}/post"'.encode() in page.content and b"<button" in page.content
    assert b"form_post.js" not in page.content
    field = page.content.partition(b'name="SAMLRequest" value="')[2].partition(b'"')[0].decode()
    assert visitor.provider.asked(field, "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST").destination.endswith("/post")
    actions.update(SYSTEM, source, {"binding_type": "POST_AUTO"})
    assert b"form_post.js" in visitor.client.get("/source/saml/upstream/").content


def test_an_answer_for_another_browser_is_refused(visitor: Visitor, provider: SamlProvider) -> None:
    """Nobody is logged in as somebody else by being sent another's answer (login CSRF)."""
    mallory = Visitor(provider)
    answer = mallory.post(mallory.answer(mallory.asked()))
    visitor.asked()

    refused(visitor.follow(answer), "this session has not sent")
    assert visitor.name == "" and not UserSourceConnection.objects.exists()
    refused(mallory.follow(answer), "was used already")  # the one who asked is too late: a handle is for once


def test_the_form_itself_logs_nobody_in(visitor: Visitor) -> None:
    """The page that other sites post to sets no cookie, so that it neither logs in nor out."""
    answer = visitor.post(visitor.answer(visitor.asked()))
    assert answer.status_code == 303 and not answer.cookies
    wrong = visitor.post(b"<nonsense/>")
    assert wrong.status_code == 403 and not wrong.cookies


def test_a_message_counts_once(visitor: Visitor, source: SAMLSource) -> None:
    """Also when it was never used up by a login, and also for somebody else."""
    message = visitor.answer(visitor.asked())
    assert visitor.post(message).status_code == 303
    refused(visitor.post(message), OLD)
    assert (Seen.objects.count(), Handed.objects.count()) == (1, 1)
    assert not chores.has_old()
    Seen.objects.update(until="2020-01-01T00:00Z")
    Handed.objects.update(until="2020-01-01T00:00Z")
    assert chores.has_old()
    chores.forget_old()
    assert (Seen.objects.count(), Handed.objects.count()) == (0, 0)


def test_a_handle_is_good_for_two_minutes_and_one_source(visitor: Visitor, source: SAMLSource) -> None:
    """An old one opens nothing, and neither does one of another source."""
    other = SAMLSource.objects.create(
        name="Other",
        slug="other",
        sso_url=SSO,
        verification_kp=source.verification_kp,
        pre_authentication_flow=source.pre_authentication_flow,
    )
    answer = visitor.post(visitor.answer(visitor.asked()))
    refused(visitor.client.get(answer["Location"].replace("upstream", other.slug)), "handle")
    Handed.objects.update(until="2020-01-01T00:00Z")
    refused(visitor.follow(answer), "handle")


def test_unasked_answers_are_for_sources_that_allow_them(visitor: Visitor, source: SAMLSource) -> None:
    """Off by default: anybody could be logged in as somebody else without noticing."""
    refused(visitor.post(visitor.answer()), "answers no request of ours")
    actions.update(SYSTEM, source, {"allow_idp_initiated": True})
    visitor.follow(visitor.post(visitor.answer(), relay_state="https://evil.example/"))
    assert visitor.name == "erin"
    # And nobody who is logged in becomes somebody else by it.
    refused(visitor.follow(visitor.post(visitor.answer(name_id="mallory@example.test"))), "Somebody else is logged in")
    waiting = visitor.post(visitor.answer())
    actions.update(SYSTEM, source, {"allow_idp_initiated": False})
    refused(visitor.follow(waiting), "this session has not sent")


def test_an_address_opens_an_account_where_the_administrator_says_so(visitor: Visitor, source: SAMLSource) -> None:
    """Linking by address needs a provider that proves addresses; else the owner of the account has to log in."""
    directory.create_user(SYSTEM, username="carol", email="erin@example.test", password="correct horse")
    actions.update(SYSTEM, source, {"user_matching_mode": "email_link"})
    page = visitor.enter()
    assert visitor.name == "" and "/if/flow/default-authentication-flow/" in page.context["request"].path
    actions.update(SYSTEM, source, {"emails_are_verified": True})
    other = Visitor(visitor.provider)
    other.enter()
    assert other.name == "carol"


def test_groups_come_and_go(visitor: Visitor, source: SAMLSource) -> None:
    """What the provider names is what counts, also when it names none any more."""
    visitor.enter(attributes={**ERIN, "memberOf": ["staff", "night"]})
    erin = User.objects.get(username="erin")
    assert {group.name for group in erin.groups.all()} == {"staff", "night"}
    Visitor(visitor.provider).enter()
    assert not erin.groups.exists() and Group.objects.filter(name="staff").exists()


def test_mappings_see_name_and_attributes(visitor: Visitor, source: SAMLSource) -> None:
    """As plain data, by the names that the provider gives them."""
    mapping = SourceMapping.objects.create(
        kind="saml",
        name="mine",
        expression='return {"username": attributes["urn:oid:0.9.2342.19200300.100.1.1"][0] + "-x", "name": name_id}',
    )
    source.user_property_mappings.add(mapping)
    visitor.enter()
    assert User.objects.get(username="erin-x").name == "erin@example.test"


def test_a_name_for_one_login_recognises_nobody(visitor: Visitor) -> None:
    """Transient names would make an account for every login."""
    message = visitor.answer(visitor.asked(), name_id_format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient")
    refused(visitor.post(message), "transient")


def test_a_fresh_proof_has_to_be_fresh(visitor: Visitor, source: SAMLSource) -> None:
    """Where the password was to be asked for again, an old login does not do."""
    actions.update(SYSTEM, source, {"force_authn": True})
    old = visitor.answer(visitor.asked(), authenticated=1_700_000_000)
    refused(visitor.follow(visitor.post(old)), "was to ask for the password again")
    visitor.enter()
    assert visitor.name == "erin"


def test_another_provider_with_the_same_key_is_another(visitor: Visitor, source: SAMLSource) -> None:
    """Services that sign for many with one key are told apart by who says it."""
    actions.update(SYSTEM, source, {"provider_entity_id": "https://other-tenant.example.test"})
    refused(visitor.post(visitor.answer(visitor.asked())), "another identity provider")


def test_another_key_is_not_believed(visitor: Visitor, source: SAMLSource) -> None:
    """Whatever the message brings along; both keys count while a provider changes its own."""
    message, stranger = visitor.answer(visitor.asked()), pair()[1]
    actions.update(SYSTEM, source, {"verification_kp": import_pair(SYSTEM, name="b", certificate_pem=stranger)})
    refused(visitor.post(message), "does not hold")
    both = import_pair(SYSTEM, name="c", certificate_pem=stranger + visitor.provider.certificate_pem)
    actions.update(SYSTEM, source, {"verification_kp": both})
    assert visitor.post(message).status_code == 303


def test_who_may_come_and_what_is_closed(visitor: Visitor, source: SAMLSource, bob: User) -> None:
    """Bindings and the switch are looked at again when the answer comes; without an enrolment flow nobody is new."""
    actions.update(SYSTEM, source, {"enrollment_flow": None})
    refused(visitor.enter(), "no enrolment flow")
    message = visitor.answer(visitor.asked())
    actions.update(SYSTEM, source, {"enabled": False})
    assert visitor.post(message).status_code == 404
    assert Client().get("/source/saml/upstream/metadata/").status_code == 200


@pytest.mark.parametrize(
    "fields",
    [{}, {"SAMLResponse": ["", ""]}, {"SAMLResponse": ["%%%"]}, {"SAMLResponse": ["PGEvPg=="]}, {"SAMLRequest": ["x"]}],
)
def test_what_is_no_answer_is_refused(fields: dict[str, Any]) -> None:
    """Whoever sends it sees a page, and no error of ours."""
    assert Client().post("/source/saml/upstream/acs/", fields).status_code == 403
    assert Client().get("/source/saml/upstream/acs/").status_code == 405


def test_the_reason_is_no_longer_than_it_has_to_be(visitor: Visitor) -> None:
    """Nobody fills the events with what they like."""
    root = etree.fromstring(visitor.answer(visitor.asked()))
    for method in root.iter("{http://www.w3.org/2000/09/xmldsig#}SignatureMethod"):
        method.set("Algorithm", "x" * 50_000)
    answer = visitor.post(etree.tostring(root))
    refused(answer, "x")
    from doorward.identity.events.models import Event

    assert len(Event.objects.filter(action="login_failed").latest("created").context["reason"]) <= 300


def test_a_flow_comes_before(visitor: Visitor, source: SAMLSource) -> None:
    """With stages in its first flow, nobody is sent away before those are passed."""
    stage = DummyStage.objects.create(name="hello")
    FlowStageBinding.objects.create(flow=Flow.objects.get(pk=source.pre_authentication_flow_id), stage=stage, order=0)
    page = visitor.follow(visitor.client.get("/source/saml/upstream/?next=/if/user/account/"))
    assert page.status_code == 200 and not LoginSession.objects.filter(user__isnull=False).exists()
    form = {"step": page.context["step"], "csrfmiddlewaretoken": str(page.context["csrf_token"])}
    path = page.context["request"].get_full_path()
    away = visitor.follow(visitor.client.post(path, form, HTTP_ORIGIN="https://auth.example.test"))
    assert away.status_code == 302 and away["Location"].startswith(SSO)
    end = visitor.follow(visitor.post(visitor.answer(visitor.request_in(away["Location"]))))
    assert end["Location"] == "/if/user/account/"


def test_our_metadata_is_what_the_provider_reads(source: SAMLSource, our_key: tuple[str, str]) -> None:
    """Signing and encryption keys, where to answer, where to log out."""
    from saml2.mdstore import InMemoryMetaData

    ours = import_pair(SYSTEM, name="ours", certificate_pem=our_key[1], private_key_pem=our_key[0])
    actions.update(SYSTEM, source, {"signing_kp": ours, "encryption_kp": ours})
    answer = Client().get("/source/saml/upstream/metadata/")
    read = InMemoryMetaData(None, answer.content.decode())
    read.load()
    (entity,) = read.keys()
    assert entity == US.entity_id and answer["Content-Type"].startswith("application/samlmetadata+xml")
    assert read.certs(entity, "spsso", "encryption") and read.certs(entity, "spsso", "signing")
    consumer = read.service(entity, "spsso_descriptor", "assertion_consumer_service")
    assert [each["location"] for each in consumer["urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"]] == [US.acs_url]


def test_an_encrypted_assertion_logs_in(
    visitor: Visitor, source: SAMLSource, our_key: tuple[str, str], tmp_path: Path
) -> None:
    """With the key of the source; without one it is refused, and says nothing about what is in it."""
    plain = visitor.answer(visitor.asked())
    data = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    sealed = visitor.provider.encrypted(plain, our_key[1], tmp_path, "aes-256", data)
    refused(visitor.post(sealed), "no key for that")
    ours = import_pair(SYSTEM, name="ours", certificate_pem=our_key[1], private_key_pem=our_key[0])
    actions.update(SYSTEM, source, {"encryption_kp": ours})
    visitor.follow(visitor.post(sealed))
    assert visitor.name == "erin"


def test_a_wrapped_signature_logs_nobody_in(visitor: Visitor) -> None:
    """A second assertion, unsigned, before, behind, inside or around the signed one is not read (XSW)."""
    assertion, signature = "{urn:oasis:names:tc:SAML:2.0:assertion}", "{http://www.w3.org/2000/09/xmldsig#}"
    for place in ("before", "behind", "inside", "around"):
        root = etree.fromstring(visitor.answer(visitor.asked()))
        good = root.find(f"{assertion}Assertion")
        evil = copy.deepcopy(good)
        evil.set("ID", "_evil")
        evil.find(f".//{assertion}NameID").text = "akadmin@example.test"
        evil.remove(evil.find(f"{signature}Signature"))
        if place in ("before", "behind"):
            root.insert(root.index(good) + (place == "behind"), evil)
        elif place == "inside":
            good.append(evil)
        else:
            root.replace(good, evil)
            etree.SubElement(evil, f"{assertion}Advice").append(good)
        assert visitor.post(etree.tostring(root)).status_code == 403, place
    assert not Handed.objects.exists()


def test_documents_with_entities_are_not_read(visitor: Visitor) -> None:
    """Neither a billion laughs nor a file of this machine."""
    laughs = "".join(f'<!ENTITY l{n} "{10 * f"&l{n - 1};"}">' for n in range(1, 10))
    inside = visitor.answer(visitor.asked()).partition(b"?>")[2]
    for declared in (f'<!ENTITY l0 "ha">{laughs}', '<!ENTITY l9 SYSTEM "file:///etc/passwd">'):
        message = f"<!DOCTYPE x [{declared}]>".encode() + inside.replace(b"erin@", b"&l9;@")
        assert visitor.post(message).status_code == 403
    assert not Seen.objects.exists()


def test_relative_names_of_spaces_are_an_answer_too(visitor: Visitor) -> None:
    """What has no canonical form is refused; nobody sees an error of ours."""
    message = visitor.answer(visitor.asked()).replace(b"<ns1:Subject>", b'<ns1:Subject xmlns:x="relative/name">')
    assert b"relative/name" in message
    assert visitor.post(message).status_code == 403


def test_what_is_asked_for_meanwhile_is_asked_for(visitor: Visitor) -> None:
    """A login that began as usual is no fresh proof for a flow that wants one when it ends."""
    visitor.enter()
    flow, path = Flow.objects.get(slug="default-authentication-flow"), "/if/user/account/"
    asked = visitor.asked(f"?flow={flow.slug}&next={path}")
    session = SessionStore(visitor.client.cookies["__Host-doorward_login"].value)
    request = RequestFactory().get("/")
    request.session, request.user = session, User.objects.get(username="erin")
    context = PlanContext(continuation=path, reauthenticate=True)
    entrance.start(request, flow, next_url=path, context=context)
    session.save()
    old = visitor.post(visitor.answer(asked, authenticated=1_700_000_000))
    refused(visitor.follow(old), "was to ask for the password again")


def test_a_login_that_never_ends_there_is_one_too(visitor: Visitor) -> None:
    """Providers write the last moment that there is."""
    visitor.enter(session_not_on_or_after="9999-12-31T23:59:59Z")
    assert visitor.name == "erin"
