"""Delegated administrators: what a role permits they do, anything else is refused, and nobody raises themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from identity.api.conftest import Api, key_for

if TYPE_CHECKING:
    from doorward.identity.applications.models import Application
    from doorward.identity.directory.models import Group, User
    from doorward.identity.roles.models import Role

HELPDESK = (
    "view_user",
    "add_user",
    "change_user",
    "delete_user",
    "reset_user_password",
    "view_group",
    "add_group",
    "change_group",
    "delete_group",
    "add_user_to_group",
    "remove_user_from_group",
    "view_token",
    "add_token",
    "change_token",
    "delete_token",
    "view_token_key",
    "set_token_key",
    "view_authenticatedsession",
    "delete_authenticatedsession",
    "view_userconsent",
    "delete_userconsent",
)
ROLES = ("view_role", "add_role", "change_role", "delete_role", "assign_role_permissions", "unassign_role_permissions")


def role_with(name: str, *permissions: str, object_pk: object = "") -> Role:
    from doorward.identity.events.actor import Actor
    from doorward.identity.roles.actions import assign, create_role

    role = create_role(Actor.system(), name=name)
    assign(Actor.system(), role, permissions, str(object_pk))
    return role


def core(*codenames: str) -> list[str]:
    return [f"authentik_core.{name}" for name in codenames]


def rbac(*codenames: str) -> list[str]:
    return [f"authentik_rbac.{name}" for name in codenames]


def give(role: Role, user: User) -> None:
    from doorward.identity.events.actor import Actor
    from doorward.identity.roles.actions import add_user

    add_user(Actor.system(), role, user)


@pytest.fixture
def desk(flows: None, mallory: User, akadmin: User, bob: User) -> Api:
    """Mallory, who holds all that a help desk needs, and may manage roles."""
    give(role_with("desk", *core(*HELPDESK), *rbac(*ROLES)), mallory)
    return Api(key_for(mallory))


@pytest.fixture
def auditor(flows: None, mallory: User, akadmin: User, bob: User) -> Api:
    """Mallory, who sees everything that can be seen, and changes nothing."""
    from doorward.identity.roles.catalogue import PERMISSIONS

    views = [name for name, permission in PERMISSIONS.items() if permission.codename.startswith("view_")]
    give(role_with("auditor", *[name for name in views if not name.endswith("view_token_key")]), mallory)
    return Api(key_for(mallory))


def test_a_role_that_a_group_holds_counts_for_its_members(bob_api: Any, staff: Group) -> None:
    """Also through a parent of the group, and no longer when it is taken away."""
    from doorward.identity.directory.actions import create_group, update_group
    from doorward.identity.events.actor import Actor
    from doorward.identity.roles.actions import add_group, delete_role

    role = role_with("readers", *core("view_user"))
    assert bob_api.call("GET", "core/users/").status_code == 403
    above = create_group(Actor.system(), name="everybody")
    add_group(Actor.system(), role, above)
    update_group(Actor.system(), staff, parents=[above])

    assert [user["username"] for user in bob_api.get("core/users/?search=bob")["results"]] == ["bob"]
    assert [each["name"] for each in bob_api.get("core/users/me/")["user"]["roles"]] == ["readers"]
    delete_role(Actor.system(), role)
    assert bob_api.call("GET", "core/users/").status_code == 403


def test_one_object_is_one_object(bob_api: Any, bob: User, mallory: User, akadmin: User) -> None:
    """A permission for mallory shows and changes mallory; others are not there (S-602), and none is made."""
    give(role_with("hers", *core("view_user", "change_user"), object_pk=mallory.pk), bob)

    assert [user["username"] for user in bob_api.get("core/users/")["results"]] == ["mallory"]
    assert bob_api.patch(f"core/users/{mallory.pk}/", {"name": "Mal"})["name"] == "Mal"
    assert bob_api.call("GET", f"core/users/{akadmin.pk}/").status_code == 404
    assert bob_api.call("PATCH", f"core/users/{akadmin.pk}/", {"name": "x"}).status_code == 404
    assert bob_api.call("DELETE", f"core/users/{mallory.pk}/").status_code == 403
    assert bob_api.call("POST", "core/users/", {"username": "new", "name": ""}).status_code == 403
    assert bob_api.call("POST", f"core/users/{mallory.pk}/set_password/", {"password": "x" * 20}).status_code == 403


def test_the_help_desk_does_its_work(desk: Api, bob: User, staff: Group) -> None:
    """Users, groups, passwords, tokens and logins of people who may do no more than the help desk."""
    made = desk.post("core/users/", {"username": "carol", "name": "Carol", "groups": [str(staff.pk)]})
    desk.patch(f"core/users/{made['pk']}/", {"is_active": False, "groups": []})
    desk.post(f"core/users/{bob.pk}/set_password/", {"password": "a long enough password"}, status=204)
    assert desk.post(f"core/users/{bob.pk}/recovery/", status=200)["link"]
    group = desk.post("core/groups/", {"name": "desk made", "parents": [str(staff.pk)]})
    desk.post(f"core/groups/{group['pk']}/add_user/", {"pk": bob.pk}, status=204)
    desk.post(f"core/groups/{group['pk']}/remove_user/", {"pk": bob.pk}, status=204)
    desk.post("core/tokens/", {"identifier": "for-bob", "user": bob.pk})
    assert desk.get("core/tokens/for-bob/view_key/")["key"]
    desk.delete("core/tokens/for-bob/")
    desk.delete(f"core/users/{made['pk']}/")


def test_nobody_above_is_touched(desk: Api, akadmin: User) -> None:
    """Password, recovery link, address, groups, tokens, logins, deletion: each is a way to become root."""  # S-603
    from doorward.identity.directory.actions import create_token
    from doorward.identity.events.actor import Actor
    from identity import proxied

    create_token(Actor.system(), user=akadmin, identifier="root", intent="api")
    login = proxied.log_in(akadmin)
    before = akadmin.password
    attempts: list[tuple[str, str, Any]] = [
        ("POST", f"core/users/{akadmin.pk}/set_password/", {"password": "x" * 20}),
        ("POST", f"core/users/{akadmin.pk}/recovery/", None),
        ("PATCH", f"core/users/{akadmin.pk}/", {"email": "mallory@example.test"}),
        ("PATCH", f"core/users/{akadmin.pk}/", {"is_active": False}),
        ("PATCH", f"core/users/{akadmin.pk}/", {"groups": []}),
        ("PATCH", f"core/users/{akadmin.pk}/", {"attributes": {"upn": "x"}}),
        ("DELETE", f"core/users/{akadmin.pk}/", None),
        ("POST", "core/tokens/", {"identifier": "mine", "user": akadmin.pk}),
        ("GET", "core/tokens/root/view_key/", None),
        ("POST", "core/tokens/root/set_key/", {"key": "k" * 40}),
        ("PATCH", "core/tokens/root/", {"description": "x"}),
        ("DELETE", "core/tokens/root/", None),
        ("DELETE", f"core/authenticated_sessions/{login.pk}/", None),
    ]
    for method, path, body in attempts:
        assert desk.call(method, path, body).status_code == 403, (method, path, body)
    akadmin.refresh_from_db()
    assert (akadmin.password, akadmin.email, akadmin.is_active) == (before, "root@example.test", True)


def test_nobody_raises_themselves_by_groups(desk: Api, mallory: User, bob: User, admins: Group, staff: Group) -> None:
    """Into a group of superusers, under one, or by making one; for themselves or for a friend."""  # S-603, GHSA-h6c5
    own = desk.post("core/groups/", {"name": "own", "users": [mallory.pk]})
    attempts: list[tuple[str, str, Any]] = [
        ("PATCH", f"core/users/{mallory.pk}/", {"groups": [str(admins.pk)]}),
        ("PATCH", f"core/users/{bob.pk}/", {"groups": [str(admins.pk)]}),
        ("POST", "core/users/", {"username": "new", "name": "", "groups": [str(admins.pk)]}),
        ("POST", f"core/groups/{admins.pk}/add_user/", {"pk": mallory.pk}),
        ("PATCH", f"core/groups/{admins.pk}/", {"users": [mallory.pk]}),
        ("PATCH", f"core/groups/{admins.pk}/", {"is_superuser": False}),
        ("DELETE", f"core/groups/{admins.pk}/", None),
        ("POST", "core/groups/", {"name": "x", "is_superuser": True}),
        ("POST", "core/groups/", {"name": "x", "parents": [str(admins.pk)]}),
        ("PATCH", f"core/groups/{own['pk']}/", {"is_superuser": True}),
        ("PATCH", f"core/groups/{own['pk']}/", {"parents": [str(admins.pk)]}),
        ("PATCH", f"core/groups/{staff.pk}/", {"parents": [str(own["pk"]), str(admins.pk)]}),
    ]
    for method, path, body in attempts:
        assert desk.call(method, path, body).status_code == 403, (method, path, body)
    assert not mallory.is_superuser
    assert not bob.is_superuser


def test_nobody_gives_what_they_do_not_hold(desk: Api, mallory: User, bob: User, staff: Group) -> None:
    """No permission, no role and no group with a role; to themselves or to others."""  # S-603
    role = desk.post("rbac/roles/", {"name": "ours"})
    strong = role_with("strong", *core("impersonate"))
    from doorward.identity.directory.actions import create_group
    from doorward.identity.events.actor import Actor
    from doorward.identity.roles.actions import add_group

    crew = create_group(Actor.system(), name="crew")
    add_group(Actor.system(), strong, crew)
    assigning = f"rbac/permissions/assigned_by_roles/{role['pk']}/assign/"
    strongs = f"rbac/permissions/assigned_by_roles/{strong.pk}"

    assert desk.post(assigning, {"permissions": core("view_user")}, status=200)
    desk.post(f"rbac/roles/{role['pk']}/add_user/", {"pk": bob.pk}, status=204)
    attempts: list[tuple[str, str, Any]] = [
        ("POST", assigning, {"permissions": core("impersonate")}),
        ("POST", assigning, {"permissions": core("view_user", "impersonate")}),
        ("POST", assigning, {"permissions": rbac("access_admin_interface")}),
        ("POST", f"{strongs}/assign/", {"permissions": core("view_user")}),
        ("PATCH", f"{strongs}/unassign/", {"permissions": core("impersonate")}),
        ("POST", f"rbac/roles/{strong.pk}/add_user/", {"pk": mallory.pk}),
        ("POST", f"rbac/roles/{strong.pk}/add_user/", {"pk": bob.pk}),
        ("PATCH", f"rbac/roles/{strong.pk}/", {"name": "weak"}),
        ("DELETE", f"rbac/roles/{strong.pk}/", None),
        ("PATCH", f"core/users/{mallory.pk}/", {"roles": [str(strong.pk)]}),
        ("PATCH", f"core/groups/{staff.pk}/", {"roles": [str(strong.pk)]}),
        ("POST", "core/groups/", {"name": "x", "roles": [str(strong.pk)]}),
        ("POST", f"core/groups/{crew.pk}/add_user/", {"pk": mallory.pk}),
        ("PATCH", f"core/groups/{staff.pk}/", {"parents": [str(crew.pk)]}),
    ]
    for method, path, body in attempts:
        assert desk.call(method, path, body).status_code == 403, (method, path, body)
    assert strong.grants.count() == 1
    assert not strong.users.exists()


def test_who_holds_a_role_of_more_is_not_touched(desk: Api, bob: User) -> None:
    """Bob is no superuser, but may impersonate, which mallory may not: his password is not hers to set."""
    give(role_with("strong", *core("impersonate")), bob)

    assert desk.call("POST", f"core/users/{bob.pk}/set_password/", {"password": "x" * 20}).status_code == 403
    assert desk.call("PATCH", f"core/users/{bob.pk}/", {"email": "m@example.test"}).status_code == 403


@pytest.mark.parametrize(
    "permission",
    [
        "authentik_flows.change_flow",
        "authentik_stages_user_write.change_userwritestage",
        "authentik_flows.add_flowstagebinding",
        "authentik_providers_oauth2.change_scopemapping",
        "authentik_brands.change_brand",
        "authentik_crypto.view_certificatekeypair_key",
        "authentik_core.is_superuser",
        "nonsense",
        "",
    ],
)
def test_what_steers_logins_is_in_no_role(admin_api: Any, permission: str) -> None:
    """Not even a superuser gives it away: whoever writes flows or mappings is anybody they like."""  # S-612
    role = admin_api.post("rbac/roles/", {"name": "ours"})

    status, body = admin_api.refused(
        "POST", f"rbac/permissions/assigned_by_roles/{role['pk']}/assign/", {"permissions": [permission]}
    )
    assert (status, list(body)) == (400, ["permissions"])


OWN = (
    "authenticators_",
    "core_authenticated",
    "core_tokens",
    "core_user_consent",
    "doorward_access_requests",
    "doorward_proxy_sessions",
    "events_notifications",
)
SUPERUSERS = (
    "doorward_",
    "events_rules",
    "events_transports",
    "managed_blueprints",
    "outposts_proxy",
    "policies_expression",
    "propertymappings_notification",
    "propertymappings_source_",
)
"""What nobody else may even read."""


def test_an_auditor_reads_without_secrets(auditor: Api, whoami: Application) -> None:
    """Every list is open, no secret is in it, and every write and every revealing action is refused."""  # S-605
    import json

    from doorward.identity.oauth2.models import OAuth2Provider
    from identity.api.test_who_may import operations

    for name, method, path in operations():
        if name.startswith(OWN):
            continue  # what is everybody's own; see test_who_may
        if name == "providers_proxy_preview_paths_create":
            continue  # asks what rules would mean, and changes nothing
        answer = auditor.call(method, path, {} if method in ("POST", "PUT", "PATCH") else None)
        if method != "GET":
            assert answer.status_code in {403, 404}, name
        elif name.endswith("_list"):
            allowed = {403, 404} if name.startswith(SUPERUSERS) and name != "doorward_access_offers_list" else {200}
            assert answer.status_code in allowed or answer.status_code == 404, (name, answer.content)
            for provider in OAuth2Provider.objects.all():
                assert provider.client_secret not in json.dumps(answer.content.decode())
    assert auditor.call("GET", f"providers/oauth2/{whoami.provider_id}/client_secret/").status_code in {403, 404}
    assert auditor.call("GET", f"core/users/{999}/").status_code == 404


def test_the_owner_of_an_application_decides_who_enters_it(
    bob_api: Any, admin_api: Any, bob: User, whoami: Application, staff: Group, mallory: User
) -> None:
    """Its name and bindings; not another application's, not a flow's, and not which provider it has."""  # S-602
    give(role_with("owner", *core("view_application", "change_application"), object_pk=whoami.pk), bob)
    other = admin_api.post("core/applications/", {"name": "Other", "slug": "other"})
    (flow,) = admin_api.get("flows/instances/?slug=default-authentication-flow")["results"]

    assert bob_api.patch("core/applications/whoami/", {"meta_description": "Ours"})["meta_description"] == "Ours"
    made = bob_api.post("policies/bindings/", {"target": str(whoami.pk), "user": mallory.pk, "order": 1})
    assert len(bob_api.get("policies/bindings/")["results"]) == 2
    for target in (other["pbm_uuid"], flow["policybindingmodel_ptr_id"]):
        body = {"target": target, "user": bob.pk, "order": 0}
        assert bob_api.call("POST", "policies/bindings/", body).status_code == 403
        assert bob_api.call("PATCH", f"policies/bindings/{made['pk']}/", {"target": target}).status_code == 403
    bob_api.delete(f"policies/bindings/{made['pk']}/")
    assert bob_api.call("PATCH", "core/applications/whoami/", {"provider": None}).status_code == 403
    assert bob_api.call("DELETE", "core/applications/whoami/").status_code == 403
    assert bob_api.call("PATCH", "core/applications/other/", {"name": "Mine"}).status_code == 403


def test_details_inside_other_objects_are_for_whoever_may_see_these(bob_api: Any, bob: User, akadmin: User) -> None:
    """Who may see groups does not read the addresses and attributes of their members on the way."""  # S-602
    give(role_with("groups", *core("view_group")), bob)

    groups = bob_api.get("core/groups/")["results"]
    members = {member["username"]: member for group in groups for member in group["users_obj"]}
    assert (members["akadmin"]["email"], members["akadmin"]["attributes"]) == ("", {})


def test_changes_of_roles_are_on_the_record(admin_api: Any, bob: User) -> None:
    """Who got which permission, from whom."""  # S-619
    from doorward.identity.events.models import Event

    role = admin_api.post("rbac/roles/", {"name": "ours"})
    where = f"rbac/permissions/assigned_by_roles/{role['pk']}"
    admin_api.post(f"{where}/assign/", {"permissions": core("view_user")}, status=200)
    admin_api.post(f"rbac/roles/{role['pk']}/add_user/", {"pk": bob.pk}, status=204)
    admin_api.patch(f"{where}/unassign/", {"permissions": core("view_user")}, status=204)

    events = Event.objects.filter(action="model_updated", app="authentik.rbac").order_by("created")
    assert [(event.user["username"], event.context["diff"]) for event in events] == [
        ("akadmin", {"permissions": {"previous_value": [], "new_value": ["authentik_core.view_user"]}}),
        ("akadmin", {"users": {"previous_value": [], "new_value": ["bob"]}}),
        ("akadmin", {"permissions": {"previous_value": ["authentik_core.view_user"], "new_value": []}}),
    ]
