"""Who can reach what, on the page and through the API; and what pages say before something is saved."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from doorward.identity.applications.models import Application
from doorward.identity.directory.models import Group, User
from doorward.identity.events.actor import Actor
from doorward.identity.policies.actions import bind, create_policy
from doorward.identity.policies.models import ExpressionPolicy
from identity.api.conftest import Api, key_for
from identity.web.visitor import Visitor

pytestmark = pytest.mark.django_db


def test_the_page(admin: Visitor, whoami: Application, bob: User, mallory: User, staff: Group) -> None:
    """As it is, as it would be, as it should be."""
    page = "/if/admin/reach/"
    assert "bob is a member of the group" in admin.open(f"{page}?user=bob&application=")
    assert "mallory is not a member" in admin.open(f"{page}?user=&application={whoami.pk}")
    what_if = urlencode({"change": "member-removed", "who": "bob", "group": staff.pk})
    assert "bob: whoami" in admin.open(f"{page}?{what_if}")
    assert "1 loses access" in admin.text
    assert admin.get(f"{page}?change=member-added&who=bob").status_code == 400
    answer = admin.send(page, statements="version: 1\naccess:\n- {user: bob, may: whoami}\n")
    assert answer.status_code == 200
    assert "user bob may reach whoami" in admin.text
    assert admin.send(page, statements="nothing").status_code == 400


def test_pages_warn_before_they_save(
    admin: Visitor, whoami: Application, bob: User, mallory: User, staff: Group
) -> None:
    """Removing who may enter, deleting a group, deactivating a user, adding to who may enter."""
    binding = whoami.bindings.get()
    remove = reverse("admin-binding-remove", args=[whoami.slug, binding.pk])
    assert "gain access to “whoami”: " in admin.open(remove)
    assert "One person loses access to “whoami”: bob." in admin.open(reverse("admin-user-deactivate", args=[bob.pk]))
    assert "access to “whoami”" in admin.open(reverse("admin-group-delete", args=[staff.pk]))
    page = f"/if/admin/applications/{whoami.slug}/"
    fields = {"group": "", "user": "mallory", "policy": "", "preview": "on"}
    assert admin.send(f"{page}bindings/", at=page, **fields).status_code == 200
    assert "One person gains access to “whoami”: mallory." in admin.text
    assert whoami.bindings.count() == 1


def test_the_api(whoami: Application, akadmin: User, bob: User, mallory: User, staff: Group) -> None:
    """Reasons, differences, statements."""
    api = Api(key_for(akadmin))
    found: Any = api.call("GET", "doorward/reach/?username=bob&application=whoami")
    assert found.json()["results"][0]["passing"] is True
    assert api.call("GET", "doorward/reach/").status_code == 400
    policy = create_policy(Actor.system(), ExpressionPolicy, name="rule", expression="return False")
    bind(Actor.system(), whoami, policy=policy)
    body = {
        "changes": [{"kind": "policy_edited", "policy": str(policy.pk), "policy_fields": {"expression": "return True"}}]
    }
    changed: Any = api.call("POST", "doorward/reach/changes/", body)
    assert {"username": "mallory", "application": "whoami"} in changed.json()["gained"]
    policy.refresh_from_db()
    assert policy.expression == "return False"
    body["changes"][0]["policy_fields"] = {"expression": "import os"}
    assert api.call("POST", "doorward/reach/changes/", body).status_code == 400  # S-612
    said: Any = api.call(
        "POST", "doorward/reach/statements/", {"statements": "version: 1\naccess:\n- {user: mallory, may: whoami}\n"}
    )
    assert said.json()[0]["is_true"] is False
    # S-613: whoever tries out rules executes them
    assert Api(key_for(bob)).call("POST", "doorward/reach/changes/", body).status_code == 403
