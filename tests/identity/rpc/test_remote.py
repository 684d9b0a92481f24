"""What an outpost elsewhere may ask with its token, and what it may not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from django.test import Client

from doorward.identity.applications.models import Application
from doorward.identity.directory.actions import create_token, view_token_key
from doorward.identity.directory.models import Token, User
from doorward.identity.events.actor import Actor
from doorward.identity.outposts import actions
from doorward.identity.outposts.instances import token_identifier
from doorward.identity.outposts.models import OutpostInstance, StoredSession
from doorward.messages.outposts import OutpostConfiguration
from doorward.messages.sessions import (
    ClaimRenewal,
    CreateSession,
    EndSession,
    EndSubject,
    FetchState,
    FindSession,
    IdentityState,
    KeepUrl,
    Presence,
    ProxySession,
    RenewSession,
    ReportMisconfiguration,
    TakeUrl,
)
from identity.proxied import enter, is_known, log_in, proxy_session

pytestmark = pytest.mark.django_db
ACTOR = Actor.system()


class Elsewhere:
    """An outpost with one application of its own, as seen by whoever has its token."""

    def __init__(self, name: str) -> None:
        self.application: Application = actions.protect(
            ACTOR, name=name, slug=name, external_host=f"https://{name}.example.test"
        )
        provider = self.application.provider
        assert provider is not None
        self.outpost = actions.create_outpost(ACTOR, name=name, providers=[provider])
        self.token = Token.objects.get(identifier=token_identifier(self.outpost))
        self.key = view_token_key(ACTOR, self.token)

    def ask(self, name: str, question: msgspec.Struct, key: str | None = None) -> Any:
        return post(name, msgspec.msgpack.encode(question), self.key if key is None else key)

    def state(self, since: int = -1, presence: Presence | None = None) -> IdentityState:
        answer = self.ask("state", FetchState(since, presence))
        assert answer.status_code == 200
        return msgspec.msgpack.decode(answer.content, type=IdentityState)


def post(name: str, body: bytes, key: str, method: str = "POST") -> Any:
    return Client().generic(
        method,
        f"/api/v3/outposts/data-plane/{name}",
        body,
        content_type="application/msgpack",
        headers={"authorization": f"Bearer {key}"},
    )


@pytest.fixture
def near(flows: None) -> Elsewhere:
    return Elsewhere("near")


@pytest.fixture
def other(near: Elsewhere) -> Elsewhere:
    return Elsewhere("other")


def test_it_is_told_what_it_serves(near: Elsewhere, other: Elsewhere) -> None:
    """Its own providers with their secrets, and nobody else's."""  # S-338
    state = near.state()

    told = msgspec.msgpack.decode(state.configuration, type=OutpostConfiguration)
    assert [provider.name for provider in told.providers] == ["Provider for near"]
    assert told.providers[0].outpost == "near"
    assert told.providers[0].client_secret
    assert near.state(state.position).configuration == b""


def test_its_sessions_are_kept_and_found(near: Elsewhere, bob: User) -> None:
    """Made once, found, renewed, ended; and it hears that it has ended."""
    session = proxy_session(log_in(bob), near.application)
    position = near.state().position

    made = near.ask("create-session", CreateSession(session, "state", session.expires))
    again = near.ask("create-session", CreateSession(session, "state", session.expires))
    found = near.ask("find-session", FindSession(session.id_hash, session.provider))
    renewed = near.ask("renew-session", RenewSession(msgspec.structs.replace(session, access_token="newer")))
    ended = near.ask("end-subject", EndSubject(session.claims.sub))

    assert (made.status_code, again.status_code, renewed.status_code, ended.status_code) == (204, 409, 204, 204)
    kept = msgspec.msgpack.decode(found.content, type=ProxySession)
    assert msgspec.structs.replace(kept, last_seen=0.0) == session
    assert near.state(position).ended_sessions == (session.id_hash,)


def test_a_stolen_token_reaches_no_other_application(
    near: Elsewhere, other: Elsewhere, whoami: Application, bob: User
) -> None:
    """Sessions of other providers are not found, made, renewed or ended, and nobody is logged out of them."""  # S-338
    theirs = enter(log_in(bob), whoami)
    new = proxy_session(log_in(bob), whoami)
    claim = ClaimRenewal(theirs.id_hash, theirs.provider, "a" * 64, theirs.expires)
    questions = {
        "find-session": FindSession(theirs.id_hash, theirs.provider),
        "create-session": CreateSession(new, "state", new.expires),
        "claim-renewal": claim,
        "renew-session": RenewSession(theirs),
        "end-session": EndSession(theirs.id_hash, theirs.provider),
        "end-subject": EndSubject(theirs.claims.sub),
        "report": ReportMisconfiguration("broken", theirs.provider),
    }

    for name, question in questions.items():
        assert other.ask(name, question).status_code == 404, name

    assert is_known(theirs)
    assert StoredSession.objects.count() == 1


def test_the_token_opens_nothing_else_of_the_api(near: Elsewhere) -> None:
    """No list, no second token, not even what every account may read of itself."""  # S-338
    headers = {"authorization": f"Bearer {near.key}"}
    client = Client()

    for path in ("outposts/instances/", "outposts/proxy/", "root/config/"):
        assert client.get(f"/api/v3/{path}", headers=headers).status_code == 200, path
    for path in ("core/applications/", "core/tokens/", "core/users/", "core/users/me/", "core/groups/"):
        assert client.get(f"/api/v3/{path}", headers=headers).status_code == 403, path
    made = client.post("/api/v3/core/tokens/", {"identifier": "more"}, content_type="application/json", headers=headers)
    assert made.status_code == 403


def test_urls_that_it_keeps_are_its_own(near: Elsewhere, other: Elsewhere) -> None:
    """The same key of another outpost is another one."""
    near.ask("keep-url", KeepUrl("key", "/wanted"))

    assert other.ask("take-url", TakeUrl("key")).status_code == 404
    assert b"/wanted" in near.ask("take-url", TakeUrl("key")).content


def test_who_may_not_ask(near: Elsewhere, akadmin: User) -> None:
    """Nobody without a token, with an unknown, a person's, or the token of an outpost that is gone."""
    _, persons = create_token(ACTOR, user=akadmin, identifier="mine", intent=Token.Intent.API)
    question = FetchState(-1)

    for key in ("", "unknown", "x" * 5000, persons):
        assert near.ask("state", question, key).status_code == 403
    actions.delete_outpost(ACTOR, near.outpost)
    assert near.ask("state", question).status_code == 403


def test_a_session_of_a_browser_counts_for_nothing(near: Elsewhere, akadmin: User) -> None:
    """No page of another site can ask through an administrator's browser."""
    client = Client()
    client.force_login(akadmin, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.post("/api/v3/outposts/data-plane/state", b"\x81\xa5since\xff", content_type="application/msgpack")

    assert answer.status_code == 403


def test_what_is_no_question(near: Elsewhere) -> None:
    """Other methods, names, bodies."""
    assert post("state", b"", near.key, "GET").status_code == 405
    assert post("explain-access", b"", near.key).status_code == 404
    assert post("state", b"no MessagePack", near.key).status_code == 400
    assert post("state", b"", near.key).status_code == 400
    assert post("keep-url", b"x" * (2 << 20), near.key).status_code == 413


def test_it_is_seen(near: Elsewhere) -> None:
    """By each of its processes one row, written at most every ten seconds."""
    for uid in ("one", "two", "one", "", "\0"):
        near.state(presence=Presence(uid, "0.1.0", "machine"))

    assert sorted(OutpostInstance.objects.values_list("uid", flat=True)) == ["one", "two"]
    assert all(instance.is_alive for instance in OutpostInstance.objects.all())
