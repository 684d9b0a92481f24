"""Second factors over the API: whose they are, what they never tell, and what removing one takes (S-512, S-602)."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone

from identity.factors import SEED, code_at, give_app, give_codes
from identity.flow_tab import Tab

if TYPE_CHECKING:
    from doorward.identity.directory.models import User


def test_others_factors_are_not_there(bob_api: Any, bob: User, mallory: User) -> None:
    """Neither listed, nor read, nor named, nor removed; the administrators' lists are closed."""  # S-601, S-602
    theirs, own = give_app(mallory), give_app(bob)

    assert [each["pk"] for each in bob_api.get("authenticators/totp/")["results"]] == [own.pk]
    assert [each["pk"] for each in bob_api.get("authenticators/all/")] == [str(own.pk)]
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        assert bob_api.refused(method, f"authenticators/totp/{theirs.pk}/", body)[0] == 404
        assert bob_api.refused(method, f"authenticators/admin/totp/{theirs.pk}/", body)[0] == 403
    assert bob_api.refused("GET", f"authenticators/admin/all/?user={mallory.pk}")[0] == 403


def test_no_answer_has_a_secret(admin_api: Any, bob: User) -> None:
    """Not to superusers either: neither seed nor codes."""  # S-605
    app = give_app(bob)
    _, codes = give_codes(bob)
    answers = [
        admin_api.get(path)
        for path in ("authenticators/admin/totp/", "authenticators/admin/static/", "authenticators/admin/all/")
    ]

    text = json.dumps(answers)
    assert SEED not in text
    assert app.sealed_seed not in text
    assert not any(code in text for code in codes)
    assert answers[1]["results"][0]["token_set"] == []


@pytest.mark.parametrize("kind", ["totp", "static", "webauthn", "email"])
def test_nobody_makes_a_factor_here(admin_api: Any, bob_api: Any, bob: User, kind: str) -> None:
    """It would not have been proved."""  # S-512
    for api, path in ((bob_api, ""), (admin_api, "admin/")):
        assert api.refused("POST", f"authenticators/{path}{kind}/", {"name": "x"})[0] == 405


def test_the_owner_never_changes(bob_api: Any, bob: User, akadmin: User) -> None:
    """A factor cannot be moved to somebody else."""  # S-516
    own = give_app(bob)
    bob_api.refused("PATCH", f"authenticators/totp/{own.pk}/", {"name": "x", "user": akadmin.pk})

    own.refresh_from_db()
    assert own.user == bob


@pytest.mark.parametrize("query", ["?user=x", "?user=-1", "?user=999999999999999999999"])
def test_a_user_is_a_number(admin_api: Any, query: str) -> None:
    """Anything else is a 400."""
    assert admin_api.refused("GET", f"authenticators/admin/all/{query}")[0] == 400


def test_a_browser_removes_a_factor_after_showing_it(
    client: Client, login_flows: None, bob: User, password: str
) -> None:
    """A session that has shown only the password, or that is old, may not."""  # S-512
    from doorward.identity.logins.models import LoginSession

    Tab(client).log_in("bob", password)
    own = give_app(bob)
    path = f"/api/v3/authenticators/totp/{own.pk}/"
    assert client.delete(path).status_code == 403

    client.get("/flows/-/default/invalidation/", follow=True, headers={"Sec-Fetch-Site": "same-origin"})
    tab = Tab(client)
    tab.log_in("bob", password)
    tab.submit(code=code_at(time.time()))
    LoginSession.objects.update(authenticated_at=timezone.now() - timedelta(minutes=6))
    assert client.delete(path).status_code == 403
    LoginSession.objects.update(authenticated_at=timezone.now())

    assert client.delete(path).status_code == 204
    assert client.get("/api/v3/core/users/me/").status_code == 200
