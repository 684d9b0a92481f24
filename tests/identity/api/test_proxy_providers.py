"""Proxy providers over the API: what this program's outpost can do beyond the usual fields."""

from __future__ import annotations

from typing import Any

import pytest


def test_new_providers_have_the_outposts_defaults(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """A client that knows none of the extra fields gets what it always got."""
    made = admin_api.post("providers/proxy/", provider_body)

    assert (made["skip_preflight"], made["keep_posts"], made["renew_sessions"]) == (False, False, False)
    assert made["idle_limit"] == "seconds=0"


def test_every_switch_is_written_and_read(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """On with POST, off with PATCH; the others stay."""
    switches = {"skip_preflight": True, "keep_posts": True, "renew_sessions": True, "idle_limit": "hours=1"}
    switches |= {"cookie_prefix": "secure"}
    made = admin_api.post("providers/proxy/", provider_body | switches)
    path = f"providers/proxy/{made['pk']}/"
    changed = admin_api.patch(path, {"renew_sessions": False, "keep_posts": False})

    assert {name: made[name] for name in switches} == switches
    assert {name: changed[name] for name in switches} == switches | {"renew_sessions": False, "keep_posts": False}
    assert len(made["property_mappings"]) == len(changed["property_mappings"]) + 1
    assert admin_api.get(path) == changed


def test_a_put_without_the_switch_leaves_renewal(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """Programs that write whole objects do not turn off what they do not know."""
    made = admin_api.post("providers/proxy/", provider_body | {"renew_sessions": True})

    assert admin_api.put(f"providers/proxy/{made['pk']}/", provider_body)["renew_sessions"] is True


@pytest.mark.parametrize(("field", "value"), [("idle_limit", "soon"), ("renew_sessions", "perhaps"), ("keep_posts", 7)])
def test_what_is_no_value_is_refused_by_field(
    admin_api: Any, provider_body: dict[str, Any], field: str, value: Any
) -> None:
    """400, named."""
    status, body = admin_api.refused("POST", "providers/proxy/", provider_body | {field: value})

    assert (status, list(body)) == (400, [field])


def test_a_domain_is_set_up_in_one_call(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """With the domain; without a fitting one it is refused."""
    body = provider_body | {"mode": "forward_domain"}
    assert admin_api.refused("POST", "providers/proxy/", body)[1].keys() == {"cookie_domain"}

    made = admin_api.post("providers/proxy/", body | {"cookie_domain": "example.test"})

    assert (made["mode"], made["cookie_domain"]) == ("forward_domain", "example.test")


def test_open_paths_can_be_previewed(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """By the rules in force or by others; one that is not linear is refused by field (S-212)."""
    made = admin_api.post("providers/proxy/", provider_body | {"skip_path_regex": "^/health$"})
    path = f"providers/proxy/{made['pk']}/preview_paths/"
    judged = admin_api.post(path, {"paths": ["/health", "/admin"]}, 200)

    assert [(each["path"], each["open"]) for each in judged] == [("/health", True), ("/admin", False)]
    tried = admin_api.post(path, {"paths": ["/admin"], "skip_path_regex": "^/admin"}, 200)
    assert tried[0]["open"] is True
    status, body = admin_api.refused("POST", path, {"paths": ["/"], "skip_path_regex": "^(a+)+$"})
    assert (status, list(body)) == (400, ["skip_path_regex"])
    assert admin_api.get(f"providers/proxy/{made['pk']}/")["skip_path_regex"] == "^/health$"


def test_step_up_rules_are_written_read_and_previewed(admin_api: Any, provider_body: dict[str, Any]) -> None:
    """With defaults for what is left out; a rule that asks for nothing is refused by field."""
    rule = {"path": "^/admin", "factor": "mfa", "max_age": "minutes=15"}
    made = admin_api.post("providers/proxy/", provider_body | {"step_up_rules": [rule], "skip_path_regex": "^/admin/x"})
    path = f"providers/proxy/{made['pk']}/"

    assert made["step_up_rules"] == [rule | {"machines": False}]
    status, body = admin_api.refused("PATCH", path, {"step_up_rules": [{"path": "^/admin"}]})
    assert (status, list(body)) == (400, ["step_up_rules"])
    judged = admin_api.post(f"{path}preview_paths/", {"paths": ["/ADMIN/x", "//x?y", "/wiki"]}, 200)
    asked = "a second factor and a login of the last 15 minutes: rule 1 (^/admin)"
    assert [(each["open"], each["step_up"]) for each in judged] == [(False, asked), (False, asked), (False, "")]
    tried = admin_api.post(f"{path}preview_paths/", {"paths": ["/admin/x"], "step_up_rules": []}, 200)
    assert (tried[0]["open"], tried[0]["step_up"]) == (True, "")
    assert admin_api.patch(path, {"step_up_rules": []})["step_up_rules"] == []
