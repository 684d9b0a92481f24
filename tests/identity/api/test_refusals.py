"""What is refused although it is well-formed, in words that say what to do."""

from __future__ import annotations

from typing import Any

import pytest


def test_a_patch_is_judged_with_what_is_there(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """A forward provider takes a PATCH without a mode; turning it into a proxy needs the inside host."""
    made = admin_api.post("providers/proxy/", provider_body)

    assert admin_api.patch(f"providers/proxy/{made['pk']}/", {"name": "renamed"})["name"] == "renamed"
    status, body = admin_api.refused("PATCH", f"providers/proxy/{made['pk']}/", {"mode": "proxy"})
    assert status == 400
    assert body == {"internal_host": ["Internal host cannot be empty when forward auth is disabled."]}


def test_basic_auth_needs_its_attributes(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """The message is the one that clients know."""
    status, body = admin_api.refused("POST", "providers/proxy/", provider_body | {"basic_auth_enabled": True})

    assert status == 400
    text = "User and password attributes must be set when basic auth is enabled."
    assert body == {"basic_auth_enabled": [text]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("certificate", "00000000-0000-4000-8000-000000000000"),
        ("jwt_federation_providers", [1]),
        ("jwt_federation_sources", ["00000000-0000-4000-8000-000000000000"]),
        ("external_host", "javascript:alert(1)"),
        ("external_host", "whoami.example.test"),
        ("access_token_validity", "soon"),
        ("skip_path_regex", "("),
        ("mode", "reverse"),
        ("name", ""),
        ("authorization_flow", "nonsense"),
    ],
)
def test_a_provider_that_cannot_work_is_refused_by_field(
    admin_api: Any, provider_body: dict[str, Any], field: str, value: Any
) -> None:
    """Among it what the original can do and we cannot: named, not dropped."""
    status, body = admin_api.refused("POST", "providers/proxy/", provider_body | {field: value})

    assert (status, list(body)) == (400, [field])


def test_names_are_unique_over_all_kinds(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """An OAuth2 provider cannot have a proxy provider's name."""
    admin_api.post("providers/proxy/", provider_body)
    body = {
        "name": provider_body["name"],
        "redirect_uris": [],
        "authorization_flow": provider_body["authorization_flow"],
        "invalidation_flow": provider_body["invalidation_flow"],
    }

    status, answer = admin_api.refused("POST", "providers/oauth2/", body)
    assert (status, list(answer)) == (400, ["name"])


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://rp.example.test/#x", "https://.*", "not a url"])
def test_a_redirect_that_leaks_codes_is_refused(admin_api: Any, provider_body: dict[str, Any], url: str) -> None:
    """The same rules as at the authorization endpoint."""
    body = {
        "name": "rp",
        "redirect_uris": [{"matching_mode": "regex" if "*" in url else "strict", "url": url}],
        "authorization_flow": provider_body["authorization_flow"],
        "invalidation_flow": provider_body["invalidation_flow"],
    }
    status, answer = admin_api.refused("POST", "providers/oauth2/", body)

    assert (status, list(answer)) == (400, ["redirect_uris"])


@pytest.mark.parametrize(
    "expression", ['__import__("os").system("id")', "import os\nreturn {}", "return {}.__class__", "return {"]
)
def test_no_program_is_ever_taken(admin_api: Any, expression: str) -> None:
    """What is outside of the language is refused when it is stored."""  # S-612, S-613
    body = {"name": "x", "scope_name": "x", "expression": expression}
    status, answer = admin_api.refused("POST", "propertymappings/provider/scope/", body)

    assert (status, list(answer)) == (400, ["expression"])


def test_shipped_scopes_stay(admin_api: Any) -> None:
    """They are changed by a new version only."""
    (openid,) = admin_api.get("propertymappings/provider/scope/?scope_name=openid")["results"]

    assert admin_api.call("PATCH", f"propertymappings/provider/scope/{openid['pk']}/", {}).status_code == 400
    assert admin_api.call("DELETE", f"propertymappings/provider/scope/{openid['pk']}/").status_code == 400


def test_events_are_never_changed(admin_api: Any) -> None:
    """The log can be read and appended to."""  # S-619
    (event, *_) = admin_api.get("events/events/")["results"]
    for method in ("PUT", "PATCH", "DELETE"):
        assert admin_api.call(method, f"events/events/{event['pk']}/", {}).status_code == 405


@pytest.mark.parametrize("context", [{"actor": 1}, {"app": 1}, {"a b": 1}, {f"k{number}": 1 for number in range(51)}])
def test_an_events_context_is_plain(admin_api: Any, context: dict[str, int]) -> None:
    """A reporter cannot overwrite what the server knows."""
    body = {"action": "configuration_error", "app": "x", "context": context}
    status, answer = admin_api.refused("POST", "events/events/", body)

    assert (status, list(answer)) == (400, ["context"])


def test_the_last_superuser_stays(admin_api: Any, akadmin: Any, admins: Any) -> None:
    """Locking everybody out is a conflict with an explanation."""  # S-621
    status, body = admin_api.refused("POST", f"core/groups/{admins.pk}/remove_user/", {"pk": akadmin.pk})

    assert status == 409
    assert "superuser" in body["detail"]


def test_the_last_way_in_stays(admin_api: Any) -> None:
    """Whatever would close it is a conflict that says why, unless the client is sure."""  # S-621
    flow = admin_api.get("flows/instances/?slug=default-authentication-flow")["results"][0]
    bindings = admin_api.get(f"flows/bindings/?target={flow['pk']}&ordering=order")["results"]
    named, _, factor, login = bindings
    group = admin_api.get("core/groups/?name=authentik%20Admins")["results"][0]["pk"]
    deny = admin_api.post("stages/deny/", {"name": "no"})["pk"]
    for method, path, body in (
        ("DELETE", "flows/instances/default-authentication-flow/", None),
        ("PATCH", "flows/instances/default-authentication-flow/", {"authentication": "require_superuser"}),
        ("DELETE", f"flows/bindings/{login['pk']}/", None),
        ("PATCH", f"flows/bindings/{named['pk']}/", {"order": 25}),
        ("POST", "flows/bindings/", {"target": flow["pk"], "stage": deny, "order": 50}),
        ("DELETE", f"stages/all/{login['stage']}/", None),
        ("PATCH", f"stages/authenticator/validate/{factor['stage']}/", {"not_configured_action": "deny"}),
        ("POST", "policies/bindings/", {"target": flow["pk"], "group": group, "order": 0}),
    ):
        status, answer = admin_api.refused(method, path, body)
        assert (status, "no administrator could log in" in answer["detail"]) == (409, True), path

    assert admin_api.patch(f"flows/bindings/{named['pk']}/", {"order": 15})["order"] == 15
    assert admin_api.call("DELETE", f"flows/bindings/{login['pk']}/?sure=true").status_code == 204


def test_a_short_password_is_refused_by_its_field(admin_api: Any, bob: Any) -> None:
    """The password never appears in the answer."""
    status, body = admin_api.refused("POST", f"core/users/{bob.pk}/set_password/", {"password": "hunter2"})

    assert (status, list(body)) == (400, ["password"])
    assert "hunter2" not in str(body)


def test_a_failed_transaction_leaves_nothing(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """A taken slug takes the provider with it, and the message says which part was wrong."""
    from doorward.identity.outposts.models import ProxyProvider

    request = {
        "app": {"name": "Whoami", "slug": "authorize"},
        "provider_model": "authentik_providers_proxy.proxyprovider",
        "provider": provider_body,
    }
    status, body = admin_api.refused("PUT", "core/transactional/applications/", request)
    assert (status, list(body), list(body["app"])) == (400, ["app"], ["slug"])

    request = request | {"app": {"name": "W", "slug": "w"}, "provider": provider_body | {"mode": "proxy"}}
    status, body = admin_api.refused("PUT", "core/transactional/applications/", request)
    assert (status, list(body["provider"])) == (400, ["internal_host"])
    assert not ProxyProvider.objects.exists()


def test_every_write_is_an_event_and_reaches_the_data_plane(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """Creation, change and deletion, each with its actor; the change log grows with what outposts serve."""  # S-619
    from doorward.identity.events.models import Change, Event

    before = Change.objects.count()
    made = admin_api.post("providers/proxy/", provider_body)
    admin_api.patch(f"providers/proxy/{made['pk']}/", {"skip_path_regex": "^/health$"})
    admin_api.delete(f"providers/proxy/{made['pk']}/")

    events = Event.objects.filter(app="authentik.providers.proxy").order_by("created")
    assert [event.action for event in events] == ["model_created", "model_updated", "model_deleted"]
    assert {event.user["username"] for event in events} == {"akadmin"}
    assert Change.objects.count() >= before + 3


def test_the_description_is_yaml_or_json(stranger: Any) -> None:
    """OpenAPI 3, whichever is asked for."""
    as_yaml = stranger.call("GET", "schema/")
    as_json = stranger.call("GET", "schema/?format=json")

    assert as_yaml.headers["Content-Type"] == "application/vnd.oai.openapi"
    assert as_yaml.content.startswith(b"openapi: 3.")
    assert b'"operationId":"core_users_me_retrieve"' in as_json.content.replace(b'": "', b'":"')
