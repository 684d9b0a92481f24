"""WebAuthn: what is accepted is exactly what the standard says, from exactly our origin."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from doorward.identity.authenticators import actions, ceremonies, challenges, options, relying_party
from doorward.identity.authenticators.ceremonies import NotVerified
from doorward.identity.authenticators.models import SpentChallenge, WebAuthnDevice
from doorward.identity.directory.models import User
from doorward.identity.events.actor import Actor
from identity.authenticators.soft_key import USER_PRESENT, USER_VERIFIED, SoftKey

pytestmark = pytest.mark.django_db

BOUND = "login:plan-1:7"


def creation(user: User, bound_to: str = BOUND) -> dict[str, Any]:
    asked = options.to_create(
        bound_to, user, [], rp_name="Doorward", user_verification="required", resident_key="required"
    )
    made: dict[str, Any] = json.loads(msgspec.json.encode(asked))
    return made


def request(*devices: WebAuthnDevice, bound_to: str = BOUND) -> dict[str, Any]:
    asked: dict[str, Any] = json.loads(
        msgspec.json.encode(options.to_get(bound_to, devices, user_verification="required"))
    )
    return asked


def enrol(user: User, key: SoftKey) -> WebAuthnDevice:
    registered = ceremonies.registered(key.create(creation(user)), BOUND, require_user_verification=True)
    return actions.add_webauthn(Actor.system(), user, name="Key", registered=registered)


@pytest.fixture
def key() -> SoftKey:
    return SoftKey()


@pytest.fixture
def device(bob: User, key: SoftKey) -> WebAuthnDevice:
    return enrol(bob, key)


def check(key: SoftKey, asked: dict[str, Any], *, user: User | None = None, **changed: Any) -> ceremonies.Asserted:
    return ceremonies.asserted(key.get(asked, **changed), BOUND, user=user, require_user_verification=True)


def test_a_key_is_made_and_used(bob: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """By its user, and by nobody in particular: the passkey says whose it is."""
    assert check(key, request(device), user=bob).device == device
    assert check(key, request()).device.user == bob

    device.refresh_from_db()
    assert (device.backed_up, device.transports) == (True, ["hybrid", "internal"])
    assert device.last_used is not None


LIES: list[tuple[str, dict[str, Any]]] = [
    ("another origin", {"origin": "https://evil.test"}),
    ("a subdomain's origin", {"origin": "https://a.auth.example.test"}),
    ("another port", {"origin": "https://auth.example.test:8443"}),
    ("no TLS", {"origin": "http://auth.example.test"}),
    ("another relying party", {"rp_id": "example.test"}),
    ("nobody was there", {"flags": USER_VERIFIED}),
    ("nobody was verified", {"flags": USER_PRESENT}),
    ("the other ceremony", {"kind": "webauthn.other"}),
    ("inside a frame of another site", {"more": {"crossOrigin": True}}),
    ("below another site", {"more": {"topOrigin": "https://evil.test"}}),
]


@pytest.mark.parametrize(("what", "lie"), LIES, ids=[what for what, _ in LIES])
def test_a_login_that_deviates_is_refused(
    bob: User, key: SoftKey, device: WebAuthnDevice, what: str, lie: dict[str, Any]
) -> None:
    """Each part of the standard's list, by itself; the challenge is not used up by it."""  # S-515
    asked = request(device)
    honest = {name: getattr(key, name) for name in lie}
    for name, value in lie.items():
        setattr(key, name, value)
    with pytest.raises(NotVerified):
        check(key, asked, user=bob)

    for name, value in honest.items():
        setattr(key, name, value)
    assert check(key, asked, user=bob)


@pytest.mark.parametrize(("what", "lie"), LIES, ids=[what for what, _ in LIES])
def test_a_registration_that_deviates_is_refused(bob: User, what: str, lie: dict[str, Any]) -> None:
    """The same list when a key is made."""  # S-515
    with pytest.raises(NotVerified):
        ceremonies.registered(SoftKey(**lie).create(creation(bob)), BOUND, require_user_verification=True)


def test_an_algorithm_that_nobody_asked_for_is_refused(bob: User, key: SoftKey) -> None:
    """ES512 with the curve of ES256."""  # S-515
    with pytest.raises(NotVerified):
        ceremonies.registered(key.create(creation(bob), algorithm=-36), BOUND, require_user_verification=True)


def test_a_key_without_verification_is_a_second_factor_at_most(bob: User, key: SoftKey) -> None:
    """Where the stage only prefers it."""
    key.flags = USER_PRESENT
    registered = ceremonies.registered(key.create(creation(bob)), BOUND, require_user_verification=False)
    device = actions.add_webauthn(Actor.system(), bob, name="Key", registered=registered)
    answer = key.get(request(device))

    assert not ceremonies.asserted(answer, BOUND, user=bob, require_user_verification=False).user_verified


def test_a_challenge_is_answered_once(bob: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """The same answer a second time, and another answer to the same challenge."""  # S-515, S-805
    asked = request(device)
    answer = key.get(asked)
    ceremonies.asserted(answer, BOUND, user=bob, require_user_verification=True)

    for again in (answer, key.get(asked)):
        with pytest.raises(NotVerified, match="answered before"):
            ceremonies.asserted(again, BOUND, user=bob, require_user_verification=True)


def test_a_challenge_ends(key: SoftKey, device: WebAuthnDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five minutes; a clock that was set back does not make it good again."""  # S-515, S-812
    asked, made = request(device), time.time()
    for moment, fits in ((made + 299, True), (made + 302, False), (made - 3600, False)):
        monkeypatch.setattr(time, "time", lambda moment=moment: moment)
        assert challenges.is_ours(challenges.decode(asked["challenge"]), BOUND) is fits


def test_a_challenge_of_another_page_is_none(bob: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """Another session, plan, user or purpose; or none that we made."""  # S-515
    for challenge in (request(device, bound_to="login:plan-2:7")["challenge"], challenges.encode(bytes(56)), "AAAA"):
        with pytest.raises(NotVerified, match="another page"):
            check(key, {"challenge": challenge}, user=bob)


def test_the_counter_never_goes_back(bob: User, key: SoftKey) -> None:
    """A copy of the key lags behind."""  # S-515
    key.sign_count = 5
    device = enrol(bob, key)
    key.sign_count = 6
    assert check(key, request(device), user=bob)

    for lagging in (6, 5, 0):
        key.sign_count = lagging
        with pytest.raises(NotVerified):
            check(key, request(device), user=bob)


def test_another_users_credential_is_refused(mallory: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """bob's key does not let mallory in."""  # S-516
    with pytest.raises(NotVerified, match="another user's"):
        check(key, request(), user=mallory)


def test_a_credential_belongs_to_whom_it_says(bob: User, mallory: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """A user handle of somebody else, and none where it must say who it is."""  # S-516
    for handle in (options.user_handle(mallory), challenges.encode(b"x"), None, ""):
        with pytest.raises(NotVerified, match="user handle"):
            check(key, request(), userHandle=handle)
    assert check(key, request(device), user=bob, userHandle=None)


def test_a_credential_is_registered_once(mallory: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """Not by a second user either: the first keeps it."""  # S-516
    again = ceremonies.registered(key.create(creation(mallory)), BOUND, require_user_verification=True)

    with pytest.raises(ValidationError):
        actions.add_webauthn(Actor.system(), mallory, name="Key", registered=again)


def test_another_key_cannot_sign_for_it(bob: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """The signature is checked with the key that was registered."""  # S-515
    forger = SoftKey(credential_id=key.credential_id, handle=key.handle)

    with pytest.raises(NotVerified):
        check(forger, request(device), user=bob)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        "[]",
        "null",
        "not json",
        '{"id": "x", "response": {"clientDataJSON": "e30"}}',
        '{"id": "x", "response": {"clientDataJSON": "ü"}}',
        '{"id": "x", "response": {"clientDataJSON": "bm90IGpzb24"}}',
        '{"id": 7, "response": {}}',
        "[" * 30_000,
        "x" * 70_000,
    ],
)
def test_nonsense_is_refused(bob: User, answer: str) -> None:
    """Nothing that can be sent is an error of ours."""
    for user in (bob, None):
        with pytest.raises(NotVerified):
            ceremonies.asserted(answer, BOUND, user=user, require_user_verification=True)
    with pytest.raises(NotVerified):
        ceremonies.registered(answer, BOUND, require_user_verification=True)


def test_authenticator_data_that_is_cut_short_is_refused(bob: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """The library's parsers meet hostile bytes."""
    for data in (b"", b"\x00" * 36, b"\xff" * 100):
        with pytest.raises(NotVerified):
            check(key, request(device), user=bob, authenticatorData=challenges.encode(data))


def test_strangers_leave_no_rows(key: SoftKey, device: WebAuthnDevice) -> None:
    """A challenge is remembered when it was answered rightly, not before."""  # S-917
    SpentChallenge.objects.all().delete()
    for _ in range(5):
        request()
        with pytest.raises(NotVerified):
            check(SoftKey(), request())

    assert not SpentChallenge.objects.exists()


def test_what_the_browser_is_asked(bob: User, key: SoftKey, device: WebAuthnDevice) -> None:
    """A stranger's page names no credential; a new key's user handle says nothing about a person."""
    assert request()["allowCredentials"] == []
    assert request(device)["allowCredentials"][0]["id"] == device.credential_id
    asked = creation(bob)
    assert asked["rp"]["id"] == "auth.example.test"
    assert "bob" not in asked["user"]["id"]
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert len(challenges.decode(asked["challenge"])) >= 16


@pytest.mark.parametrize(
    ("url", "origin", "possible"),
    [
        ("https://auth.example.test:443", "https://auth.example.test", True),
        ("https://auth.localhost:8443", "https://auth.localhost:8443", True),
        ("http://localhost:9000", "http://localhost:9000", True),
        ("http://auth.example.test", "http://auth.example.test", False),
        ("https://192.0.2.1", "https://192.0.2.1", False),
        ("https://[2001:db8::1]", None, False),
    ],
)
def test_where_passkeys_are_possible(settings: Settings, url: str, origin: str | None, possible: bool) -> None:
    """At names, over TLS or at localhost; the origin is what browsers write."""
    from urllib.parse import urlsplit

    settings.EXTERNAL = urlsplit(url)

    assert relying_party.is_possible() is possible
    assert origin in (None, relying_party.origin())
