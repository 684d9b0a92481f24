"""Twenty threads at one token endpoint, on a database file of its own: started by ``test_races``, prints JSON.

A program of its own, because the tests' database lives in memory and a race in one connection is none.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identity.oauth2.relying_party import Browser, RelyingParty

THREADS = 20


def main(data: str, rounds: dict[str, int]) -> dict[str, list[list[int]]]:
    """Statuses of every round of each race, sorted."""
    rp, browser = _prepare(data)
    forms = {"code": _redemption, "refresh": _refreshing}
    with ThreadPoolExecutor(THREADS) as pool:
        return {kind: [_race(pool, forms[kind](rp, browser)) for _ in range(times)] for kind, times in rounds.items()}


def _prepare(data: str) -> tuple[RelyingParty, Browser]:
    os.environ.update(
        DOORWARD_DATA=data,
        DOORWARD_DATABASE="",
        DOORWARD_EXTERNAL_URL="https://auth.example.test",
        DJANGO_SETTINGS_MODULE="doorward.identity.settings",
    )
    import django

    django.setup()
    from django.core.management import call_command

    from doorward.identity.applications.actions import create_application
    from doorward.identity.crypto.queries import signing_key
    from doorward.identity.directory.actions import create_user
    from doorward.identity.events.actor import Actor
    from doorward.identity.first_start import make_defaults
    from doorward.identity.flows.models import Flow
    from doorward.identity.oauth2.actions import create_oauth2_provider
    from doorward.identity.oauth2.models import ScopeMapping
    from identity.oauth2.relying_party import CALLBACK, Browser, RelyingParty

    call_command("migrate", verbosity=0)
    make_defaults()
    provider = create_oauth2_provider(
        Actor.system(),
        name="rp",
        authorization_flow=Flow.objects.get(slug="default-provider-authorization-implicit-consent"),
        invalidation_flow=Flow.objects.get(slug="default-provider-invalidation-flow"),
        scope_mappings=ScopeMapping.objects.all(),
        signing_key=signing_key(),
        redirect_uris=[{"url": CALLBACK}],
    )
    create_application(Actor.system(), name="RP", slug="rp", provider=provider)
    browser = Browser()
    browser.log_in_as(create_user(Actor.system(), username="bob", password="correct horse battery staple"))
    return RelyingParty(provider, scope="openid offline_access"), browser


def _redemption(rp: RelyingParty, browser: Browser) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": rp.code(browser),
        "redirect_uri": rp.redirect_uri,
        "code_verifier": rp.verifier,
    } | _credentials(rp)


def _refreshing(rp: RelyingParty, browser: Browser) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": rp.tokens(browser)["refresh_token"]} | _credentials(rp)


def _credentials(rp: RelyingParty) -> dict[str, str]:
    return {"client_id": rp.provider.client_id, "client_secret": rp.provider.client_secret}


def _race(pool: ThreadPoolExecutor, form: dict[str, str]) -> list[int]:
    from urllib.parse import urlencode

    from identity.oauth2.relying_party import Browser

    start = Barrier(THREADS)

    def run() -> int:
        browser, body = Browser(), urlencode(form)
        start.wait()
        answer: Any = browser.post("/application/o/token/", body, content_type="application/x-www-form-urlencoded")
        status: int = answer.status_code
        return status

    return sorted(future.result() for future in [pool.submit(run) for _ in range(THREADS)])


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
