"""S-534: acting as somebody else, and what it may and may not lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from doorward.identity.brands.models import Brand
from doorward.identity.directory.actions import remove_member, update_user
from doorward.identity.directory.models import Token
from doorward.identity.events.actor import Actor
from doorward.identity.events.models import Event
from doorward.identity.logins.models import LoginSession
from doorward.identity.outposts.models import StoredSession
from doorward.identity.roles.actions import add_user, assign, create_role
from identity import proxied
from identity.web.visitor import ORIGIN, Visitor

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group, User

BANNER = "You act as bob. You are akadmin."
STOP = "/if/user/impersonation/end/"


def begin(visitor: Visitor, user: User, reason: str = "He asked for help") -> Any:
    return visitor.send(f"/if/admin/users/{user.pk}/impersonate/", at="/if/user/account/", reason=reason)


def cookie(visitor: Visitor) -> str:
    value: str = visitor.client.cookies[settings.SESSION_COOKIE_NAME].value
    return value


def api(visitor: Visitor, path: str) -> Any:
    return visitor.client.get(f"/api/v3/{path}").json()


@pytest.fixture
def acting(admin: Visitor, bob: User) -> Visitor:
    """akadmin, who acts as bob."""
    assert begin(admin, bob).status_code == 303
    return admin


def test_every_page_says_so_until_it_stops(acting: Visitor, bob: User) -> None:
    """The user's own pages and those of errors; afterwards the administrator is themselves again."""
    for page in ("/if/user/", "/if/user/account/", "/if/user/factors/", "/nothing/"):
        acting.get(page)
        assert BANNER in acting.text, page
    text = acting.succeed(STOP, at="/if/user/account/")
    assert "You are yourself again." in text
    assert BANNER not in text
    assert "akadmin" in acting.open("/if/admin/users/")


def test_one_sees_what_the_other_sees(acting: Visitor, bob: User) -> None:
    """No administrators' pages, since bob has none; the API tells who is who."""
    assert acting.get("/if/admin/").status_code == 403
    me = api(acting, "core/users/me/")
    assert (me["user"]["username"], me["original"]["username"]) == ("bob", "akadmin")
    assert acting.client.get("/api/v3/core/users/").status_code == 403


def test_events_name_both(acting: Visitor, bob: User, akadmin: User) -> None:
    """The beginning with its reason, what is done meanwhile, and the end."""
    acting.client.get("/application/launch/nothing/")
    acting.succeed(STOP, at="/if/user/account/")

    began, ended = (Event.objects.get(action=f"impersonation_{what}") for what in ("started", "ended"))
    assert began.user["username"] == "akadmin"
    assert began.context["reason"] == "He asked for help"
    assert began.context["impersonated"]["pk"] == str(bob.pk)
    assert (ended.user["username"], ended.user["on_behalf_of"]["username"]) == ("akadmin", "bob")


def test_the_session_key_changes_both_times(admin: Visitor, bob: User) -> None:
    """And no former one works: a stolen cookie does not come along."""  # S-527
    keys = [cookie(admin)]
    begin(admin, bob)
    keys.append(cookie(admin))
    acting_row = LoginSession.objects.get(user=bob)
    admin.succeed(STOP, at="/if/user/account/")
    keys.append(cookie(admin))

    assert len(set(keys)) == 3
    assert not LoginSession.objects.filter(pk=acting_row.pk).exists()
    for old in keys[:2]:
        other = Visitor()
        other.client.cookies[settings.SESSION_COOKIE_NAME] = old
        assert other.get("/if/user/").status_code == 302


def test_what_it_led_to_ends_with_it(acting: Visitor, bob: User, whoami: Application) -> None:
    """Applications that were entered as bob are left, and bob's own sessions stay."""  # S-322
    proxied.enter(LoginSession.objects.get(user=bob), whoami)
    own = proxied.enter(proxied.log_in(bob), whoami)

    acting.succeed(STOP, at="/if/user/account/")

    assert list(StoredSession.objects.values_list("id_hash", flat=True)) == [own.id_hash.hex()]


def test_logging_out_logs_out_as_both(acting: Visitor, akadmin: User, bob: User) -> None:
    """Nothing is left to come back to."""
    acting.client.get("/flows/-/default/invalidation/", follow=True)

    assert not LoginSession.objects.filter(user__in=[akadmin, bob]).exists()


@pytest.mark.parametrize("what", ["deactivated", "ended"])
def test_it_ends_with_the_administrators_login(acting: Visitor, akadmin: User, admins: Group, what: str) -> None:
    """Whoever is no longer logged in acts as nobody."""
    if what == "deactivated":
        from doorward.identity.directory.actions import create_user

        create_user(Actor.system(), username="other", groups=[admins])
        update_user(Actor.system(), akadmin, is_active=False)
    else:
        from doorward.identity.logins.actions import end_all_of

        end_all_of(Actor.system(), akadmin)

    assert acting.get("/if/user/").status_code == 302
    assert not LoginSession.objects.filter(impersonator=akadmin).exists()


def test_the_account_is_not_theirs_to_change(acting: Visitor, bob: User, password: str) -> None:
    """No password, token, factor or login of bob's is made, changed or removed; nothing of the act stays."""
    login, before = proxied.log_in(bob), bob.password
    acting.send("/if/user/new/token/", identifier="mine", intent="api", description="")
    assert acting.answer.status_code == 403
    assert "their account is theirs to change" in acting.text
    new = "another long enough phrase"
    acting.send("/if/user/password/", current=password, password=new, again=new, repeat=new)
    acting.send(f"/if/user/logins/{login.pk}/end/", at="/if/user/account/")
    assert acting.answer.status_code == 403

    bob.refresh_from_db()
    assert bob.password == before
    assert not Token.objects.filter(user=bob).exists()
    assert LoginSession.objects.filter(pk=login.pk).exists()


def test_it_is_never_nested(acting: Visitor, bob: User, mallory: User) -> None:
    """Also where bob himself may impersonate."""
    role = create_role(Actor.system(), name="helpers")
    names = ["authentik_core.impersonate", "authentik_core.view_user", "authentik_rbac.access_admin_interface"]
    assign(Actor.system(), role, names)
    add_user(Actor.system(), role, bob)
    body = {"reason": "More"}
    token = api_token(acting)

    answer = acting.client.post(
        f"/api/v3/core/users/{mallory.pk}/impersonate/",
        body,
        content_type="application/json",
        headers={"X-authentik-CSRF": token, "Origin": ORIGIN},
    )
    assert answer.status_code == 403
    assert api(acting, "core/users/me/")["user"]["username"] == "bob"


def test_not_onto_somebody_with_more_power(visiting_bob: Visitor, bob: User, mallory: User, akadmin: User) -> None:
    """The permission alone does not do: what the other may, one must be able to do oneself."""  # GHSA-h6c5-mpvq-j4jc
    role = create_role(Actor.system(), name="helpers")
    assign(Actor.system(), role, ["authentik_core.impersonate", "authentik_core.view_user"])
    strong = create_role(Actor.system(), name="strong")
    assign(Actor.system(), strong, ["authentik_core.delete_user"])
    url = "/api/v3/core/users/{}/impersonate/"
    headers = {"X-authentik-CSRF": api_token(visiting_bob), "Origin": ORIGIN}

    def attempt(user: User) -> int:
        answer = visiting_bob.client.post(
            url.format(user.pk), {"reason": "x"}, content_type="application/json", headers=headers
        )
        status: int = answer.status_code
        return status

    assert attempt(mallory) == 403
    add_user(Actor.system(), role, bob)
    add_user(Actor.system(), strong, mallory)
    assert attempt(akadmin) == 403
    assert attempt(mallory) == 403
    from doorward.identity.roles.actions import remove_user

    remove_user(Actor.system(), strong, mallory)
    assert attempt(bob) == 400
    assert attempt(mallory) == 204
    assert api(visiting_bob, "core/users/me/")["original"]["username"] == "bob"


def test_a_reason_is_needed_where_the_setting_says_so(admin: Visitor, bob: User) -> None:
    """By default; without the setting it may be empty, and the whole can be switched off."""
    assert begin(admin, bob, "  ").status_code == 400
    assert "Say why" in admin.text
    brand = Brand.objects.get(default=True)
    brand.attributes = {"settings": {"impersonation": False}}
    brand.save()
    assert begin(admin, bob).status_code == 403
    brand.attributes = {"settings": {"impersonation_require_reason": False}}
    brand.save()
    assert begin(admin, bob, "").status_code == 303


@pytest.mark.parametrize("who", ["oneself", "deactivated"])
def test_who_cannot_log_in_is_nobody_to_act_as(admin: Visitor, akadmin: User, bob: User, who: str) -> None:
    """400, with a text."""
    if who == "deactivated":
        update_user(Actor.system(), bob, is_active=False)

    assert begin(admin, akadmin if who == "oneself" else bob).status_code == 400


def test_the_user_sees_it_in_their_account(acting: Visitor, password: str) -> None:
    """Bob reads that somebody is logged in as him, and ends it."""
    bob = Visitor("bob", password)

    assert "akadmin, who acts as this user" in bob.open("/if/user/account/")
    bob.succeed("/if/user/logins/end/", at="/if/user/account/")
    assert acting.get("/if/user/").status_code == 302


def test_who_loses_their_rights_stops(acting: Visitor, akadmin: User, admins: Group) -> None:
    """A former administrator does not go on as somebody else."""
    from doorward.identity.directory.actions import create_user

    create_user(Actor.system(), username="other", groups=[admins])
    remove_member(Actor.system(), admins, akadmin)

    assert acting.get("/if/user/").status_code == 302


def api_token(visitor: Visitor) -> str:
    """The CSRF token of the session, as a page of its own carries it."""
    import re

    page = visitor.open("/if/user/account/")
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]
