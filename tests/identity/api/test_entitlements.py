"""``/core/application_entitlements/``: managed by whoever may change the application."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.identity.applications.models import Application, Entitlement
from doorward.identity.directory.models import User

pytestmark = pytest.mark.django_db
WHERE = "core/application_entitlements/"


def test_an_entitlement_from_making_to_deleting(admin_api: Any, whoami: Application, bob: User) -> None:
    """Made, found, given to somebody, renamed, deleted; it stays with its application."""
    made = admin_api.post(WHERE, {"name": "editor", "app": str(whoami.pk), "attributes": {"level": 1}})
    assert made == {
        "pbm_uuid": made["pbm_uuid"],
        "name": "editor",
        "app": str(whoami.pk),
        "attributes": {"level": 1},
    }
    one = f"{WHERE}{made['pbm_uuid']}/"
    admin_api.post("policies/bindings/", {"target": made["pbm_uuid"], "user": bob.pk, "order": 0})
    assert [each["name"] for each in admin_api.get(f"{WHERE}?app={whoami.pk}")["results"]] == ["editor"]
    assert admin_api.patch(one, {"name": "writer"})["name"] == "writer"
    other = admin_api.post("core/applications/", {"name": "Other", "slug": "other"})
    assert admin_api.call("PATCH", one, {"app": other["pk"]}).status_code == 400
    assert admin_api.call("POST", WHERE, {"name": "writer", "app": str(whoami.pk)}).status_code == 400
    refused = admin_api.call(
        "POST", "policies/bindings/", {"target": made["pbm_uuid"], "user": bob.pk, "order": 0, "negate": True}
    )
    assert refused.status_code == 400
    admin_api.delete(one)
    assert not Entitlement.objects.exists()


def test_only_whoever_may_change_the_application_sees_and_gives_them(
    admin_api: Any, bob_api: Any, bob: User, whoami: Application
) -> None:
    """A role for one application manages its entitlements, and not another's."""  # S-602 S-603
    from doorward.identity.events.actor import Actor
    from doorward.identity.roles.actions import add_user, assign, create_role

    other = admin_api.post("core/applications/", {"name": "Other", "slug": "other"})
    mine = admin_api.post(WHERE, {"name": "editor", "app": str(whoami.pk)})
    theirs = admin_api.post(WHERE, {"name": "owner", "app": other["pk"]})
    assert bob_api.call("GET", WHERE).status_code == 403
    role = create_role(Actor.system(), name="wardens")
    assign(Actor.system(), role, ["authentik_core.change_application"], str(whoami.pk))
    add_user(Actor.system(), role, bob)

    assert [each["name"] for each in bob_api.get(WHERE)["results"]] == ["editor"]
    assert bob_api.call("GET", f"{WHERE}{theirs['pbm_uuid']}/").status_code == 404
    assert bob_api.call("DELETE", f"{WHERE}{theirs['pbm_uuid']}/").status_code == 404
    assert bob_api.call("POST", WHERE, {"name": "x", "app": other["pk"]}).status_code == 403
    assert bob_api.post(WHERE, {"name": "viewer", "app": str(whoami.pk)})["name"] == "viewer"
    binding = bob_api.post("policies/bindings/", {"target": mine["pbm_uuid"], "user": bob.pk, "order": 0})
    assert bob_api.get(f"policies/bindings/{binding['pk']}/")["target"] == mine["pbm_uuid"]
    refused = bob_api.call("POST", "policies/bindings/", {"target": theirs["pbm_uuid"], "user": bob.pk, "order": 0})
    assert refused.status_code == 403
