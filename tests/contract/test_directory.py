"""Users, groups, tokens and sessions by the official client."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_user_lives_and_dies(api: Any, official: Any) -> None:
    """Created, found, changed, given a password, deleted."""
    bob = api.core_users_create(
        official.UserRequest(
            username="bob", name="Bob", email="bob@example.test", path="users/staff", attributes={"floor": 2}
        )
    )
    assert (bob.type.value, bob.is_active, bob.is_superuser) == ("internal", True, False)

    api.core_users_set_password_create(bob.pk, official.UserPasswordSetRequest(password="correct horse battery"))
    changed = api.core_users_partial_update(
        bob.pk, patched_user_request=official.PatchedUserRequest(name="Robert", is_active=False)
    )
    full = api.core_users_update(bob.pk, official.UserRequest(username="bob", name="Bobby"))

    assert (changed.name, changed.is_active, full.name) == ("Robert", False, "Bobby")
    assert api.core_users_retrieve(bob.pk).attributes == {"floor": 2}
    assert "users/staff" in api.core_users_paths_retrieve().paths
    assert api.core_users_used_by_list(bob.pk) == []
    assert api.core_users_destroy(bob.pk) is None
    with pytest.raises(official.exceptions.NotFoundException):
        api.core_users_retrieve(bob.pk)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"username": "bob"}, ["bob"]),
        ({"email": "bob@example.test"}, ["bob"]),
        ({"name": "Bob"}, ["bob"]),
        ({"is_superuser": True}, ["akadmin"]),
        ({"is_active": False}, []),
        ({"type": ["internal"], "ordering": "-username"}, ["bob", "akadmin"]),
        ({"path_startswith": "us"}, ["akadmin", "bob"]),
        ({"groups_by_name": ["staff"]}, ["bob"]),
        ({"attributes": '{"floor": 2}'}, ["bob"]),
        ({"search": "ob"}, ["bob"]),
        ({"include_groups": False, "page_size": 1}, ["akadmin"]),
    ],
)
def test_users_are_found(api: Any, official: Any, filters: dict[str, Any], found: list[str]) -> None:
    """Each filter that scripts use finds whom it names, and nobody else."""
    group = api.core_groups_create(official.GroupRequest(name="staff"))
    api.core_users_create(
        official.UserRequest(
            username="bob", name="Bob", email="bob@example.test", attributes={"floor": 2}, groups=[group.pk]
        )
    )

    assert [user.username for user in api.core_users_list(**filters).results] == found


def test_a_group_lives_and_dies(api: Any, official: Any) -> None:
    """Created with parents and members, changed, listed with and without its members, deleted."""
    akadmin = api.core_users_me_retrieve().user
    parent = api.core_groups_create(official.GroupRequest(name="everybody"))
    group = api.core_groups_create(official.GroupRequest(name="staff", parents=[parent.pk], users=[akadmin.pk]))
    assert [obj.name for obj in group.parents_obj] == ["everybody"]
    assert [user.username for user in group.users_obj] == ["akadmin"]

    api.core_groups_remove_user_create(group.pk, official.UserAccountRequest(pk=akadmin.pk))
    api.core_groups_add_user_create(group.pk, official.UserAccountRequest(pk=akadmin.pk))
    patched = api.core_groups_partial_update(
        group.pk, patched_group_request=official.PatchedGroupRequest(attributes={"floor": 2})
    )
    put = api.core_groups_update(group.pk, official.GroupRequest(name="crew"))

    assert patched.attributes == {"floor": 2}
    assert put.name == "crew"
    assert api.core_groups_retrieve(parent.pk).children == [group.pk]
    (bare,) = api.core_groups_list(name="crew", include_users=False).results
    assert bare.users_obj is None
    (by_member,) = api.core_groups_list(members_by_username=["akadmin"], search="crew").results
    assert by_member.users == [akadmin.pk]
    assert api.core_groups_used_by_list(group.pk) is not None
    assert api.core_groups_destroy(group.pk) is None


def test_a_token_lives_and_dies(api: Any, official: Any) -> None:
    """Created, its key seen once, set, and deleted; by its identifier."""
    akadmin = api.core_users_me_retrieve().user
    token = api.core_tokens_create(
        official.TokenRequest(identifier="ci", intent="api", user=akadmin.pk, expiring=False)
    )
    assert (token.user_obj.username, token.expiring, token.expires) == ("akadmin", False, None)

    assert len(api.core_tokens_view_key_retrieve("ci").key) == 60
    with pytest.raises(official.exceptions.BadRequestException):
        api.core_tokens_view_key_retrieve("ci")
    api.core_tokens_set_key_create("ci", official.TokenSetKeyRequest(key="k" * 40))

    assert api.core_tokens_view_key_retrieve("ci").key == "k" * 40
    assert api.core_tokens_retrieve("ci").identifier == "ci"
    patched = api.core_tokens_partial_update(
        "ci", patched_token_request=official.PatchedTokenRequest(description="for the build")
    )
    assert patched.description == "for the build"
    put = api.core_tokens_update("ci", official.TokenRequest(identifier="ci", intent="app_password"))
    assert put.intent.value == "app_password"
    (found,) = api.core_tokens_list(intent="app_password", user__username="akadmin").results
    assert found.pk == token.pk
    assert api.core_tokens_used_by_list("ci") == []
    assert api.core_tokens_destroy("ci") is None


def test_other_intents_are_refused(api: Any, official: Any) -> None:
    """Recovery and verification tokens are made by the server alone."""
    with pytest.raises(official.exceptions.BadRequestException) as refused:
        api.core_tokens_create(official.TokenRequest(identifier="x", intent="recovery"))

    assert "Invalid intent recovery" in refused.value.body


def test_a_service_account_is_made_whole(api: Any, official: Any) -> None:
    """User, app password and group in one call; the password is in the answer."""
    made = api.core_users_service_account_create(
        official.UserServiceAccountRequest(name="backup", create_group=True, expiring=False)
    )

    assert made.username == "backup"
    assert len(made.token) == 60
    assert api.core_users_retrieve(made.user_pk).type.value == "service_account"
    assert api.core_groups_list(name="backup").pagination.count == 1


def test_a_recovery_link(api: Any, official: Any) -> None:
    """To hand over in person; without a recovery flow the message is the one that scripts look for."""
    me = api.core_users_me_retrieve().user
    assert "/if/flow/default-recovery-flow/?flow_token=" in api.core_users_recovery_create(me.pk).link

    api.flows_instances_destroy("default-recovery-flow")
    with pytest.raises(official.exceptions.BadRequestException) as refused:
        api.core_users_recovery_create(me.pk)
    assert '"non_field_errors":["No recovery flow set."]' in refused.value.body


def test_sessions_are_listed_and_ended(api: Any) -> None:
    """A browser's login shows up and can be ended from outside."""
    from django.http import HttpRequest

    from doorward.identity.directory.models import User
    from doorward.identity.logins.actions import log_in
    from doorward.identity.logins.session_store import SessionStore

    assert api.core_authenticated_sessions_list().results == []
    request = HttpRequest()
    request.session = SessionStore()
    request.META = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0"}
    log_in(request, User.objects.get(username="akadmin"), methods=("pwd",))

    (session,) = api.core_authenticated_sessions_list(user__username="akadmin").results
    assert session.current is False
    assert api.core_authenticated_sessions_retrieve(str(session.uuid)).user == session.user
    assert api.core_authenticated_sessions_used_by_list(str(session.uuid)) == []
    assert api.core_authenticated_sessions_destroy(str(session.uuid)) is None
    assert api.core_authenticated_sessions_list().results == []


def test_a_token_acts_as_nobody_else(api: Any, official: Any) -> None:
    """Impersonation is for browsers; a program is told so, and stopping is no error."""
    bob = api.core_users_create(official.UserRequest(username="bob", name="Bob"))

    with pytest.raises(official.exceptions.BadRequestException):
        api.core_users_impersonate_create(bob.pk, official.ImpersonationRequest(reason="To see"))
    assert api.core_users_impersonate_end_retrieve() is None
    assert api.core_users_me_retrieve().original is None
