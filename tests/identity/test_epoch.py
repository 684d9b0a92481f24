"""The end of what a database from a backup would bring back to life."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from doorward.identity import epoch
from doorward.identity.authenticators import actions as authenticators
from doorward.identity.authenticators import mailed_codes, recovery_codes, totp
from doorward.identity.authenticators.models import MailedCode, StaticDevice
from doorward.identity.directory.actions import create_token
from doorward.identity.directory.models import Token, User
from doorward.identity.directory.queries import token_by_key
from doorward.identity.events import checkpoints, sealing, verifying
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Change, Event
from doorward.identity.flows.models import Flow
from doorward.identity.logins.models import LoginSession
from doorward.identity.logins.session_store import SessionStore
from doorward.identity.mail.models import MailLink
from doorward.identity.oauth2.models import AuthorizationCode, IssuedToken, RegistrationToken
from doorward.identity.outposts import actions as outposts
from doorward.identity.outposts.models import ProxyProvider, StoredSession
from doorward.identity.rpc import state
from doorward.identity.stages.models import Invitation

pytestmark = pytest.mark.django_db
SEED, LATER = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", timedelta(hours=1)
SPENT = {"authenticators.SpentChallenge", "sources_saml.Seen", "sources_saml.VouchedLogin"}
"""What was used up, or goes with the login."""
BEARERS = (Token.Intent.API, Token.Intent.APP_PASSWORD)


@pytest.fixture
def provider(flows: None) -> ProxyProvider:
    outposts.protect(Actor.system(), name="wiki", slug="wiki", external_host="https://wiki.example.test")
    return ProxyProvider.objects.get(application__slug="wiki")


@pytest.fixture
def alive(bob: User, provider: ProxyProvider) -> str:
    """Everything that lets somebody in without proving anything; the cookie of a login."""
    browser = SessionStore()
    browser.begin_login(bob, ("pwd",), None)
    browser.save()
    ends, facts = timezone.now() + LATER, {"provider": provider, "user": bob, "sid": "s"}
    StoredSession.objects.create(
        id_hash="ab" * 32, subject="s", sealed="x", created=timezone.now(), expires=ends, **facts
    )
    AuthorizationCode.objects.create(
        code_hash="cd" * 32, redirect_uri="u", scope="openid", auth_time=timezone.now(), expires=ends, **facts
    )
    for kind in IssuedToken.Kind.values:
        IssuedToken.objects.create(
            token_hash=kind, kind=kind, scope="openid", auth_time=timezone.now(), expires=ends, **facts
        )
    MailLink.objects.create(token_hash="l", user=bob, flow="f", plan="p", expires=ends)
    mailed_codes.send(bob, bob.email, "here", client_ip=None, subject="Code", lifetime=LATER)
    Invitation.objects.create(name="once", single_use=True)
    Invitation.objects.create(name="often", single_use=False)
    for intent in BEARERS:
        create_token(
            Actor.system(), user=bob, identifier=f"my-{intent}", intent=intent, expiring=False, key=intent * 20
        )
    RegistrationToken.objects.create(
        name="robots",
        token_hash="r",
        expires=ends,
        uses_left=3,
        authorization_flow=Flow.objects.get(slug="default-provider-authorization-implicit-consent"),
        invalidation_flow=Flow.objects.get(slug="default-provider-invalidation-flow"),
    )
    assert browser.session_key
    return browser.session_key


def test_nothing_that_lets_in_is_left(alive: str, bob: User, client: Client) -> None:
    """Sessions, codes, tokens, links, invitations; each is counted, and the event says so."""
    # S-810
    ended = epoch.begin()

    assert SessionStore(alive).user is None
    for model in (LoginSession, StoredSession, AuthorizationCode, IssuedToken, MailLink, MailedCode):
        assert not model._default_manager.exists(), model
    assert [invitation.name for invitation in Invitation.objects.all()] == ["often"]
    assert not any(token_by_key(intent * 20, BEARERS) for intent in BEARERS)
    assert set(ended.tokens) == {"my-api (bob)", "my-app_password (bob)", "robots (for registering clients)"}
    assert RegistrationToken.objects.get().expires <= timezone.now()
    assert ended.counts["access and refresh tokens"] == 2
    assert ended.counts["login sessions"] == ended.counts["proxy sessions"] == 1
    event = Event.objects.get(action=epoch.ACTION)
    assert "1 login sessions" in event.context["ended"]
    assert set(event.context["disabled"]) == set(ended.tokens)


def test_every_table_of_secrets_that_let_in_is_thought_of() -> None:
    """Whoever adds one says here what becomes of it after a restore."""
    # S-810
    otherwise = {
        "blueprints.BlueprintInstance": "of what a file says, and no secret",
        "directory.Token": "disabled, and listed",
        "oauth2.RegistrationToken": "disabled, and listed",
        "oauth2.RegisteredClient": "manages a client's own registration, and gets nobody in",
        "oauth2.UsedAssertion": "spent: what is in it counts no more",
        "authenticators.StaticToken": "recovery codes: those that were used since are said to be good again",
    }
    ended = {model for _, model in epoch._ENDED}
    secret = {
        model
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.name.endswith("_hash") or field.name in ("session_key", "digest")
    }

    forgotten = {model._meta.label for model in secret - ended} - otherwise.keys() - SPENT
    assert forgotten == set()


def test_tokens_stay_alive_where_the_operator_vouches_for_them(alive: str) -> None:
    """They are named, and everything else ends all the same."""
    # S-810
    ended = epoch.begin(keep_tokens=True)

    assert all(token_by_key(intent * 20, BEARERS) for intent in BEARERS)
    assert ended.kept
    assert len(ended.tokens) == 3
    assert not IssuedToken.objects.exists()


def test_no_code_of_now_counts_a_second_time(bob: User, flows: None) -> None:
    """It may have been used after the backup was made; the next one does."""
    # S-510 S-810
    from pyotp import TOTP

    device = authenticators.add_totp(Actor.system(), bob, name="App", seed=SEED, digits=6, used_step=0)
    codes = recovery_codes.generate()
    authenticators.set_recovery_codes(Actor.system(), bob, codes, name="Paper")
    now = time.time()

    epoch.begin()

    device.refresh_from_db()
    for step in range(-totp.TOLERANCE, totp.TOLERANCE + 1):
        assert not totp.use(device, TOTP(SEED).at(int(now) + step * totp.STEP), now)
    later = time.time() + 3 * totp.STEP
    assert totp.use(device, TOTP(SEED).at(int(later)), later)
    assert recovery_codes.use(StaticDevice.objects.get(), codes[0])


def test_outposts_forget_what_they_knew(alive: str, provider: ProxyProvider) -> None:
    """Whoever has read the change log up to anywhere in the lost time is told that all sessions ended."""
    # S-810
    before = Change.objects.order_by("-id").values_list("id", flat=True)[0]
    former = provider.cookie_secret

    epoch.begin()

    for since in (before - 1, before, before + 1000):
        assert state._state(since, None).all_ended
    Change.objects.create(kind=Change.Kind.OUTPOSTS)
    assert state._state(before + 1000, None).all_ended
    provider.refresh_from_db()
    assert provider.cookie_secret != former


def test_the_chain_goes_on(flows: None) -> None:
    """It verifies, although the state folder knew of events that the database has not; those are told and kept."""
    # S-810
    checkpoints.path().unlink(missing_ok=True)  # what other tests left there
    sealing.seal()
    known = checkpoints.read()[-1]
    lost = checkpoints.Checkpoint(known.number + 7, "ab" * 32, known.at + LATER)
    checkpoints._write([*checkpoints.read(), lost])
    assert not verifying.verify().is_whole

    ended = epoch.begin()

    assert ended.lost_events == 7
    assert verifying.verify().findings == []
    assert lost not in checkpoints.read()
    aside = checkpoints.path().with_name(checkpoints.LOST)
    assert "ab" * 32 in aside.read_text()
    aside.unlink()
    checkpoints.path().unlink()


def test_it_begins_at_the_start_where_a_database_was_to_come(flows: None) -> None:
    """Once."""
    # S-810
    import msgspec

    from doorward.identity.bootstrap import RESTORE_PENDING
    from doorward.messages.restored import Pending

    since = timezone.now() - LATER
    file = checkpoints.path().with_name(RESTORE_PENDING)
    file.write_bytes(msgspec.json.encode(Pending(since)))

    assert epoch.begin_pending().since == since

    assert not file.exists()
    assert Event.objects.filter(action=epoch.ACTION).count() == 1
