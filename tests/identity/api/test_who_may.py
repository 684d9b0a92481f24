"""Every operation against everybody: nothing is open that this file does not name (S-601)."""

from __future__ import annotations

import re
from typing import Any

OPEN_TO_ALL = {"root_config_retrieve", "core_brands_current_retrieve"}
OPEN_TO_USERS = OPEN_TO_ALL | {
    "core_users_me_retrieve",
    "core_applications_list",
    "core_authenticated_sessions_list",
    "doorward_access_requests_list",
    "doorward_proxy_sessions_list",
    "core_tokens_list",
    "core_user_consent_list",
    "events_notifications_list",
    "sources_all_user_settings_list",
    "sources_user_connections_all_list",
    "sources_user_connections_ldap_list",
    "sources_user_connections_oauth_list",
    "sources_user_connections_saml_list",
    "authenticators_all_list",
    "authenticators_email_list",
    "authenticators_static_list",
    "authenticators_totp_list",
    "authenticators_webauthn_list",
}
"""What bob is answered 200 although he has no rights; each shows him his own only."""
OWN_OBJECTS = {
    "authenticators_email",
    "authenticators_static",
    "authenticators_totp",
    "authenticators_webauthn",
    "core_applications",
    "core_authenticated_sessions",
    "doorward_access_requests",
    "doorward_proxy_sessions",
    "core_tokens",
    "core_user_consent",
    "events_notifications",
    "sources_user_connections",
}
"""Resources in which somebody else's object is not there (404)."""
NOBODY = {"uuid": "00000000-0000-4000-8000-000000000000"}


def operations() -> list[tuple[str, str, str]]:
    """Operation, method and path of everything in the description, with keys that nothing has."""
    from doorward.identity.api.openapi import description

    found = []
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            filled = re.sub(r"\{id\}", "999999", path)
            filled = re.sub(r"\{(?:slug|identifier)\}", "nothing", filled)
            filled = re.sub(r"\{\w+\}", NOBODY["uuid"], filled)
            found.append((operation["operationId"], method.upper(), filled.lstrip("/")))
    return found


def test_strangers_are_refused_everywhere(flows: None, stranger: Any) -> None:
    """Without credentials every operation is 403, but for the two that a login page needs."""
    answers = {name: stranger.call(method, path).status_code for name, method, path in operations()}

    assert len(answers) > 150
    assert {name for name, status in answers.items() if status != 403} == OPEN_TO_ALL


def test_users_without_rights_get_their_own_and_nothing_else(bob_api: Any) -> None:
    """Bob is refused everywhere; his own lists are his, and what belongs to others is not there."""
    open_to_bob = set()
    for name, method, path in operations():
        status = bob_api.call(method, path, {} if method in ("POST", "PUT", "PATCH") else None).status_code
        if status == 200:
            open_to_bob.add(name)
        elif status == 404:
            assert any(name.startswith(own) for own in OWN_OBJECTS), name
        elif name in ("core_tokens_create", "doorward_access_requests_create"):
            assert status == 400
        elif name in {"core_users_impersonate_end_retrieve", "events_notifications_mark_all_seen_create"}:
            assert status == 204  # he is himself already; he was told nothing
        else:
            assert status == 403, (name, status)

    assert open_to_bob == OPEN_TO_USERS


def test_unknown_paths_are_json(stranger: Any) -> None:
    """A path that is no resource is a 404 that a program can read, with and without a trailing slash."""
    assert stranger.refused("GET", "core/nonsense/") == (404, {"detail": "Not found."})
    assert stranger.refused("GET", "core/users") == (404, {"detail": "Not found."})


def test_missing_rights_have_the_known_words(bob_api: Any) -> None:
    """Clients show this text."""
    refusal = {"detail": "You do not have permission to perform this action."}
    assert bob_api.refused("GET", "core/users/") == (403, refusal)


def test_a_right_that_is_taken_away_is_gone_at_once(admin_api: Any, akadmin: Any, bob: Any, admins: Any) -> None:
    """A former superuser's token reads no more than any user's, from the next request on."""
    from doorward.identity.directory.actions import add_member, remove_member
    from doorward.identity.events.actor import Actor

    add_member(Actor.system(), admins, bob)
    admin_api.get("core/users/")
    remove_member(Actor.system(), admins, akadmin)

    assert admin_api.call("GET", "core/users/").status_code == 403
