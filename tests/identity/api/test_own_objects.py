"""What users without rights may do with their own things, and not with others' (S-602, S-603)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from doorward.identity.directory.models import User


def test_bob_manages_his_own_tokens(bob_api: Any, bob: User) -> None:
    """Made without naming a user, it is his; he sees its key and deletes it."""
    made = bob_api.post("core/tokens/", {"identifier": "script"})
    assert (made["user"], made["intent"], made["expiring"]) == (bob.pk, "api", True)
    assert made["expires"] is not None

    assert len(bob_api.get("core/tokens/script/view_key/")["key"]) == 60
    assert [token["identifier"] for token in bob_api.get("core/tokens/")["results"]] == ["api-bob", "script"]
    bob_api.delete("core/tokens/script/")


def test_bob_makes_no_token_for_others(bob_api: Any, akadmin: User) -> None:
    """Not at creation, and not by giving his away afterwards."""  # S-603, CVE-2024-37905
    status, body = bob_api.refused("POST", "core/tokens/", {"identifier": "x", "user": akadmin.pk})
    assert (status, list(body)) == (400, ["user"])

    status, body = bob_api.refused("PATCH", "core/tokens/api-bob/", {"user": akadmin.pk})
    assert (status, list(body)) == (400, ["user"])


def test_a_superuser_cannot_move_a_token_either(admin_api: Any, bob_api: Any, akadmin: User) -> None:
    """A token belongs to one user for good."""  # S-603
    status, body = admin_api.refused("PATCH", "core/tokens/api-bob/", {"user": akadmin.pk})

    assert (status, list(body)) == (400, ["user"])


def test_others_tokens_are_not_there(bob_api: Any, admin_api: Any) -> None:
    """Reading, changing, deleting and every action: 404."""  # S-602
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "view_key/"),
        ("GET", "used_by/"),
    ):
        status, body = bob_api.refused(method, f"core/tokens/api-akadmin/{path}", {} if method == "PATCH" else None)
        assert status == 404
        assert body == {"detail": "No Token matches the given query."}
    assert bob_api.call("POST", "core/tokens/api-akadmin/set_key/", {"key": "k" * 40}).status_code == 403


def test_bob_sees_what_he_may_enter(admin_api: Any, bob_api: Any, staff: Any, admins: Any) -> None:
    """Applications bound to others are not there, and how logins are set up is not told."""  # S-602
    from doorward.identity.applications.actions import create_application
    from doorward.identity.events.actor import Actor
    from doorward.identity.policies.actions import bind

    for slug, group in (("wiki", staff), ("vault", admins)):
        application = create_application(Actor.system(), name=slug, slug=slug)
        bind(Actor.system(), application, group=group)

    assert [found["slug"] for found in bob_api.get("core/applications/")["results"]] == ["wiki"]
    assert [found["slug"] for found in bob_api.get("core/applications/?superuser_full_list=true")["results"]] == [
        "wiki"
    ]
    assert bob_api.get("core/applications/wiki/")["provider_obj"] is None
    assert bob_api.call("GET", "core/applications/vault/").status_code == 404
    assert bob_api.call("DELETE", "core/applications/wiki/").status_code == 403
    assert bob_api.call("GET", "core/applications/?for_user=1").status_code == 403
    assert bob_api.get("core/applications/wiki/check_access/")["passing"] is True
    refusal = {"passing": False, "messages": [], "log_messages": []}
    assert bob_api.get("core/applications/vault/check_access/") == refusal
    assert [found["slug"] for found in admin_api.get("core/applications/")["results"]] == ["vault"]


def test_others_sessions_are_not_there(bob_api: Any, akadmin: User, bob: User) -> None:
    """Bob sees and ends his own logins only."""  # S-602
    from django.http import HttpRequest

    from doorward.identity.logins.actions import log_in
    from doorward.identity.logins.session_store import SessionStore

    sessions = {}
    for user in (akadmin, bob):
        request = HttpRequest()
        request.session = SessionStore()
        sessions[user.username] = log_in(request, user, methods=("pwd",))

    (own,) = bob_api.get("core/authenticated_sessions/")["results"]
    assert own["uuid"] == str(sessions["bob"].uuid)
    assert not {"session_key", "sid", "session_data"} & own.keys()
    bob_api.delete(f"core/authenticated_sessions/{sessions['akadmin'].uuid}/", 404)
    bob_api.delete(f"core/authenticated_sessions/{own['uuid']}/")


@pytest.mark.parametrize(
    "fields",
    [
        {"pk": 1, "uuid": "00000000-0000-4000-8000-000000000000"},
        {"is_superuser": True},
        {"password": "!", "last_login": "2030-01-01T00:00:00Z"},
        {"date_joined": "1990-01-01T00:00:00Z", "uid": "x", "managed": "x"},
    ],
)
def test_nobody_writes_what_is_not_theirs_to_write(admin_api: Any, bob: User, fields: dict[str, Any]) -> None:
    """Unknown and read-only fields are ignored, whoever sends them."""  # S-604
    before = admin_api.get(f"core/users/{bob.pk}/")
    after = admin_api.patch(f"core/users/{bob.pk}/", fields)

    assert after | {"last_updated": ""} == before | {"last_updated": ""}
    bob_password = bob.password
    bob.refresh_from_db()
    assert bob.password == bob_password


def test_managed_is_the_servers(admin_api: Any) -> None:
    """Neither token, outpost nor scope takes a managed name from a request."""  # S-604
    token = admin_api.post("core/tokens/", {"identifier": "x", "managed": "goauthentik.io/x"})
    mapping = admin_api.post(
        "propertymappings/provider/scope/",
        {"name": "x", "scope_name": "x", "expression": "return {}", "managed": "goauthentik.io/x"},
    )

    assert (token["managed"], mapping["managed"]) == (None, None)
