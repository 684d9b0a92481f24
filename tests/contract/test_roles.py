"""Roles and permissions by the official client."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def role(api: Any, official: Any) -> Any:
    """A role that permits nothing yet."""
    return api.rbac_roles_create(official.RoleRequest(name="desk"))


def test_a_role_lives_and_dies(api: Any, official: Any, role: Any) -> None:
    """Made, found, renamed, deleted."""
    renamed = api.rbac_roles_partial_update(role.pk, patched_role_request=official.PatchedRoleRequest(name="help desk"))
    full = api.rbac_roles_update(role.pk, official.RoleRequest(name="desk"))

    assert (renamed.name, full.name) == ("help desk", "desk")
    assert [each.pk for each in api.rbac_roles_list(search="es", managed__isnull=True).results] == [role.pk]
    assert api.rbac_roles_retrieve(role.pk).name == "desk"
    assert api.rbac_roles_used_by_list(role.pk) == []
    assert api.rbac_roles_destroy(role.pk) is None
    with pytest.raises(official.exceptions.NotFoundException):
        api.rbac_roles_retrieve(role.pk)


def test_permissions_are_given_and_taken(api: Any, official: Any, role: Any) -> None:
    """For all users, and for one; shown from the permission's side and from the role's."""
    me = api.core_users_me_retrieve().user.pk
    wide = official.PermissionAssignRequest(permissions=["authentik_core.view_user", "authentik_core.view_group"])
    one = official.PermissionAssignRequest(permissions=["change_user"], model="authentik_core.user", object_pk=str(me))
    given = api.rbac_permissions_assigned_by_roles_assign(role.pk, wide)
    api.rbac_permissions_assigned_by_roles_assign(role.pk, one)

    assert len({each.id for each in given}) == 2
    (held,) = api.rbac_permissions_assigned_by_roles_list(model="authentik_core.user", object_pk=str(me)).results
    assert [each.codename for each in held.model_permissions] == ["view_user"]
    assert [(each.codename, each.object_pk) for each in held.object_permissions] == [("change_user", str(me))]
    assert {each.codename for each in api.rbac_permissions_list(role=str(role.pk)).results} == {
        "view_user",
        "view_group",
    }
    (extra,) = api.rbac_permissions_roles_list(uuid=str(role.pk)).results
    assert (extra.codename, extra.object_description) == ("change_user", "akadmin")

    taken = official.PatchedPermissionAssignRequest(
        permissions=["authentik_core.change_user"], model="authentik_core.user", object_pk=str(me)
    )
    api.rbac_permissions_assigned_by_roles_unassign_partial_update(role.pk, patched_permission_assign_request=taken)
    assert api.rbac_permissions_roles_list(uuid=str(role.pk)).results == []


def test_the_table_of_permissions_is_read(api: Any) -> None:
    """By name, by kind of object, one by its number."""
    (found,) = api.rbac_permissions_list(codename="impersonate").results

    assert (found.app_label, found.model) == ("authentik_core", "user")
    assert api.rbac_permissions_retrieve(found.id) == found
    about = api.rbac_permissions_list(content_type__app_label="authentik_core", content_type__model="group").results
    assert {each.codename for each in about} >= {"view_group", "add_user_to_group"}


def test_users_and_groups_hold_roles(api: Any, official: Any, role: Any) -> None:
    """Users themselves, groups for their members, and groups below them."""
    above = api.core_groups_create(official.GroupRequest(name="above", roles=[role.pk]))
    below = api.core_groups_create(official.GroupRequest(name="below", parents=[above.pk]))
    bob = api.core_users_create(official.UserRequest(username="bob", name="Bob", groups=[below.pk]))
    holder = official.UserAccountSerializerForRoleRequest(pk=bob.pk)

    assert [each.name for each in below.inherited_roles_obj] == ["desk"]
    assert api.rbac_roles_list(users=bob.pk).results == []
    assert [each.pk for each in api.rbac_roles_list(users=bob.pk, inherited=True).results] == [role.pk]
    assert [each.pk for each in api.rbac_roles_list(groups=str(above.pk)).results] == [role.pk]

    api.rbac_roles_add_user_create(role.pk, holder)
    assert [each.name for each in api.core_users_retrieve(bob.pk).roles_obj] == ["desk"]
    assert [each.username for each in api.core_users_list(roles_by_name=["desk"]).results] == ["bob"]
    api.rbac_roles_remove_user_create(role.pk, holder)
    assert api.core_users_retrieve(bob.pk).roles == []
