"""What tokens say about people."""

from __future__ import annotations

import pytest

from doorward.identity.directory import actions as directory
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.oauth2.models import ScopeMapping
from doorward.identity.oauth2.person import merged_deeply
from identity.oauth2.conftest import Register
from identity.oauth2.relying_party import Browser, RelyingParty, payload_of

SYSTEM = Actor.system()


def test_the_outpost_learns_attributes_and_rights(rp: RelyingParty, browser: Browser, bob: User, staff: Group) -> None:
    """Attributes of all groups by name, inherited ones included, then the user's own; lists are joined."""
    parent = directory.create_group(
        SYSTEM, name="all", is_superuser=True, attributes={"shell": "sh", "list": [1], "deep": {"a": 1, "b": 1}}
    )
    staff.parents.add(parent)
    directory.update_group(SYSTEM, staff, attributes={"shell": "bash", "list": [2], "deep": {"b": 2}})
    directory.update_user(SYSTEM, bob, attributes={"shell": "zsh", "additionalHeaders": {"X-Shoe": 43}})
    claims = payload_of(rp.tokens(browser, scope="openid profile ak_proxy")["access_token"])
    assert claims["ak_proxy"] == {
        "user_attributes": {
            "shell": "zsh",
            "list": [1, 2],
            "deep": {"a": 1, "b": 2},
            "additionalHeaders": {"X-Shoe": 43},
        },
        "is_superuser": True,
    }
    assert claims["groups"] == ["staff"]


def test_merging_ignores_what_is_no_object() -> None:
    """Somebody stored a list where an object belongs: it adds nothing."""
    assert merged_deeply({"a": 1}, [1, 2]) == {"a": 1}


@pytest.mark.parametrize(
    ("mode", "attribute"),
    [("user_id", "pk"), ("user_uuid", "uuid"), ("user_username", "username"), ("user_email", "email")],
)
def test_subject_modes(register: Register, browser: Browser, bob: User, mode: str, attribute: str) -> None:
    """A client can be given another name of the user as subject."""
    rp = register(sub_mode=mode)
    assert payload_of(rp.tokens(browser)["id_token"])["sub"] == str(getattr(bob, attribute))


def test_upn_falls_back_to_the_pseudonym(register: Register, browser: Browser, bob: User) -> None:
    """A user without a UPN still has a subject."""
    rp = register(sub_mode="user_upn")
    assert payload_of(rp.tokens(browser)["id_token"])["sub"] == bob.uid
    directory.update_user(SYSTEM, bob, attributes={"upn": "bob@corp.example.test"})
    assert payload_of(rp.tokens(browser)["id_token"])["sub"] == "bob@corp.example.test"


def test_claims_can_be_left_to_userinfo(register: Register, browser: Browser) -> None:
    """With the option off, tokens carry no claims about the person; userinfo still does."""
    rp = register(include_claims_in_id_token=False)
    tokens = rp.tokens(browser)
    assert "preferred_username" not in payload_of(tokens["id_token"])
    assert "preferred_username" not in payload_of(tokens["access_token"])
    assert rp.userinfo(tokens["access_token"]).json()["preferred_username"] == "bob"


def test_asking_for_nothing_means_everything_configured(rp: RelyingParty, browser: Browser) -> None:
    """Without a scope the client gets all it is configured for; unknown ones are dropped."""
    tokens = rp.tokens(browser, scope=None)
    assert {"openid", "ak_proxy", "offline_access"} <= set(tokens["scope"].split())
    assert rp.tokens(browser, scope="openid unknown")["scope"] == "openid"


def test_own_claims_by_an_expression(rp: RelyingParty, browser: Browser, bob: User, staff: Group) -> None:
    """Beside the shipped ones of the same scope, and for a scope of one's own."""
    for scope, expression in (
        ("profile", 'return {"department": request.user.attributes.get("department", "none"), "nickname": "bobby"}'),
        ("roles", 'return {"roles": [group.name.upper() for group in user.ak_groups.all()]}'),
    ):
        mapping = ScopeMapping.objects.create(name=scope, scope_name=scope, expression=expression)
        rp.provider.scope_mappings.add(mapping)
    directory.update_user(SYSTEM, bob, attributes={"department": "sales"})

    claims = payload_of(rp.tokens(browser, scope="openid profile roles")["access_token"])

    assert (claims["department"], claims["nickname"], claims["roles"]) == ("sales", "bobby", ["STAFF"])
    assert claims["preferred_username"] == "bob"


@pytest.mark.parametrize("expression", ["return user.password", "return [1]", "while True:\n  pass"])
def test_a_failing_mapping_adds_nothing(rp: RelyingParty, browser: Browser, expression: str) -> None:
    """The login goes on without its claims, and an event says what is wrong."""  # S-612
    rp.provider.scope_mappings.add(ScopeMapping.objects.create(name="bad", scope_name="bad", expression=expression))

    claims = payload_of(rp.tokens(browser, scope="openid bad email")["access_token"])

    assert claims["email"]
    assert Event.objects.filter(action="property_mapping_exception", context__mapping="bad").exists()
