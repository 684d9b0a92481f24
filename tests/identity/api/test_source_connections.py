"""Who is known where: people see and end their own, and nobody gives themselves, or somebody above, a way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from identity.api.conftest import Api, key_for
from identity.api.test_delegated import core, give, role_with

if TYPE_CHECKING:
    from doorward.identity.directory.models import Group, User
    from doorward.identity.sources.models import OAuthSource, UserSourceConnection

USERS, GROUPS = "sources/user_connections/oauth/", "sources/group_connections/oauth/"
VERBS = ("view", "add", "change", "delete")
RIGHTS = [
    *core("view_user", "reset_user_password", "view_group", "add_user_to_group"),
    *core(*(f"{verb}_{kind}sourceconnection" for verb in VERBS for kind in ("user", "group"))),
    "authentik_sources_oauth.view_oauthsource",
]


@pytest.fixture
def source(flows: None) -> OAuthSource:
    from doorward.identity.sources.models import OAuthSource

    return OAuthSource.objects.create(name="Company", slug="company", consumer_key="doorward")


@pytest.fixture
def bobs(source: OAuthSource, bob: User) -> UserSourceConnection:
    from doorward.identity.sources.models import UserSourceConnection

    return UserSourceConnection.objects.create(source=source, user=bob, identifier="42")


@pytest.fixture
def desk(source: OAuthSource, mallory: User, akadmin: User, bob: User) -> Api:
    """Mallory, who may write connections and reset passwords."""
    give(role_with("desk", *RIGHTS), mallory)
    return Api(key_for(mallory))


def test_the_owner_of_a_connection_never_changes(
    desk: Api, admin_api: Api, bobs: UserSourceConnection, mallory: User, akadmin: User
) -> None:
    """Not by a delegated administrator, and not by a superuser: another owner is another connection."""
    # S-603, CVE-2026-49448
    for api in (desk, admin_api):
        for user in (mallory, akadmin):
            assert api.refused("PATCH", f"{USERS}{bobs.pk}/", {"user": user.pk})[0] == 400
            assert api.refused("PATCH", f"sources/user_connections/all/{bobs.pk}/", {"user": user.pk})[0] == 400
            whole = {"user": user.pk, "source": str(bobs.source_id), "identifier": "42"}
            assert api.refused("PUT", f"{USERS}{bobs.pk}/", whole)[0] == 400
    bobs.refresh_from_db()
    assert bobs.user.username == "bob"


def test_both_ends_are_asked(desk: Api, bobs: UserSourceConnection, akadmin: User, bob: User, mallory: User) -> None:
    """A way into an account that may do more is refused, made new or by another identifier."""
    from doorward.identity.sources.models import UserSourceConnection

    body = {"source": str(bobs.source_id), "identifier": "mine", "user": akadmin.pk}
    assert desk.refused("POST", USERS, body)[0] == 403  # S-603, CVE-2026-49448
    theirs = UserSourceConnection.objects.create(source=bobs.source, user=akadmin, identifier="root")
    assert desk.refused("PATCH", f"{USERS}{theirs.pk}/", {"identifier": "mine"})[0] == 403
    assert desk.refused("DELETE", f"{USERS}{theirs.pk}/")[0] == 403
    assert desk.patch(f"{USERS}{bobs.pk}/", {"identifier": "43"})["identifier"] == "43"
    desk.delete(f"{USERS}{bobs.pk}/")
    made = desk.post(USERS, {"source": str(bobs.source_id), "identifier": "44", "user": bob.pk})
    assert (made["user"], made["source_obj"]["slug"]) == (bob.pk, "company")
    taken = {"source": str(bobs.source_id), "identifier": "44", "user": mallory.pk}
    assert desk.refused("POST", USERS, taken)[0] == 400


def test_without_the_right_over_the_user_there_is_no_connection(
    source: OAuthSource, mallory: User, bob: User, bobs: UserSourceConnection
) -> None:
    """The permission for connections alone lets nobody in as anybody."""
    wanted = [right for right in RIGHTS if right != "authentik_core.reset_user_password"]
    give(role_with("half", *wanted), mallory)
    half = Api(key_for(mallory))

    assert half.refused("PATCH", f"{USERS}{bobs.pk}/", {"identifier": "mine"})[0] == 403
    assert half.refused("POST", USERS, {"source": str(source.pk), "identifier": "m", "user": mallory.pk})[0] == 403


def test_people_see_and_end_their_own(
    bob_api: Api, bobs: UserSourceConnection, akadmin: User, source: OAuthSource
) -> None:
    """And change nothing about it: whose account it is, the provider says."""
    from doorward.identity.sources.models import UserSourceConnection

    other = UserSourceConnection.objects.create(source=source, user=akadmin, identifier="root")
    assert [row["identifier"] for row in bob_api.get("sources/user_connections/all/")["results"]] == ["42"]
    assert bob_api.refused("GET", f"{USERS}{other.pk}/")[0] == 404
    assert bob_api.refused("DELETE", f"{USERS}{other.pk}/")[0] == 404
    assert bob_api.refused("PATCH", f"{USERS}{bobs.pk}/", {"identifier": "root2"})[0] == 403  # S-603
    assert bob_api.refused("POST", USERS, {"source": str(source.pk), "identifier": "x"})[0] == 403
    assert [each["object_uid"] for each in bob_api.get("sources/all/user_settings/")] == ["company"]
    bob_api.delete(f"{USERS}{bobs.pk}/")


def test_groups_that_give_more_are_not_connected(desk: Api, source: OAuthSource, staff: Group, admins: Group) -> None:
    """A provider's group fills a group here only by somebody who could fill it."""
    body: dict[str, Any] = {"source": str(source.pk), "identifier": "doors"}
    made = desk.post(GROUPS, {**body, "group": str(staff.pk)})
    assert desk.refused("POST", GROUPS, {**body, "identifier": "root", "group": str(admins.pk)})[0] == 403  # S-603
    assert desk.refused("PATCH", f"{GROUPS}{made['pk']}/", {"group": str(admins.pk)})[0] == 400
    assert desk.patch(f"{GROUPS}{made['pk']}/", {"identifier": "windows"})["identifier"] == "windows"
    assert desk.get("sources/group_connections/all/")["pagination"]["count"] == 1
    desk.delete(f"{GROUPS}{made['pk']}/")


def test_a_connection_is_of_its_kind(admin_api: Api, source: OAuthSource, bob: User) -> None:
    """A source of another kind is no source there."""
    body = {"source": str(source.pk), "identifier": "42", "user": bob.pk}

    assert admin_api.refused("POST", "sources/user_connections/ldap/", body)[0] == 400
    assert admin_api.refused("POST", "sources/user_connections/all/", body)[0] == 405
    assert admin_api.refused("POST", USERS, {**body, "access_token": "secret"})[0] == 400
