"""The identity provider alone on a port of its own, as its process serves it (waitress, threads), for a client that is
only after tokens: ``python token_server.py CODES``. Says in one line of JSON what the client has to know.

Beside it, in the same server and behind the same middleware, is a view that does nothing: what the framework allows at
best. The facts that Django needs are in the environment; it ends when its standard input does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
from datetime import timedelta

from doorward.identity.bootstrap import Bootstrap, prepare

VERIFIER = "v" * 64
THREADS = 4


def main(codes: int) -> None:
    prepare(Bootstrap(password="correct-horse-battery-9"), progress=lambda line: None)
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpRequest, HttpResponse
    from django.urls import path
    from waitress.server import create_server

    from doorward.identity import urls

    def empty(request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"{}", content_type="application/json")

    urls.urlpatterns.insert(0, path("empty/", empty))
    told = _prepared(codes)
    server = create_server(
        get_wsgi_application(), host="127.0.0.1", port=0, threads=THREADS, clear_untrusted_proxy_headers=False
    )
    print(json.dumps({"port": server.effective_port, **told}), flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), server.close(), sys.exit(0)), daemon=True).start()
    server.run()


def _prepared(codes: int) -> dict[str, object]:
    """A client, somebody who is logged in, and their codes and refresh tokens."""
    from django.utils import timezone

    from doorward.identity.applications.actions import create_application
    from doorward.identity.crypto import vault
    from doorward.identity.crypto.queries import signing_key
    from doorward.identity.directory.models import User
    from doorward.identity.events.actor import Actor
    from doorward.identity.flows.models import Flow
    from doorward.identity.logins.session_store import SessionStore
    from doorward.identity.oauth2.actions import create_oauth2_provider
    from doorward.identity.oauth2.issue import Authorization, issue
    from doorward.identity.oauth2.models import AuthorizationCode, ScopeMapping, new_family
    from doorward.identity.oauth2.scopes import mappings_of

    provider = create_oauth2_provider(
        Actor.system(),
        name="bench",
        authorization_flow=Flow.objects.get(slug="default-provider-authorization-implicit-consent"),
        invalidation_flow=Flow.objects.get(slug="default-provider-invalidation-flow"),
        scope_mappings=list(
            ScopeMapping.objects.filter(scope_name__in=["openid", "profile", "email", "offline_access"])
        ),
        signing_key=signing_key(),
        redirect_uris=[{"matching_mode": "strict", "url": "https://rp.example.test/cb"}],
    )
    create_application(Actor.system(), name="Bench", slug="bench", provider=provider)
    store, user, now = SessionStore(None), User.objects.get(username="akadmin"), timezone.now()
    login = store.begin_login(user, ("pwd",), timedelta(days=1))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    names = [f"code-{number}" for number in range(codes)]
    AuthorizationCode.objects.bulk_create(
        AuthorizationCode(
            code_hash=vault.digest(name), provider=provider, user=user, login_session=login, sid=login.sid,
            redirect_uri="https://rp.example.test/cb", scope="openid profile email", code_challenge=challenge,
            auth_time=now, amr=["pwd"], expires=now + timedelta(hours=1),
        )
        for name in names
    )  # fmt: skip
    mappings, refreshing = mappings_of(provider), []
    for _ in range(THREADS):
        authorization = Authorization(
            provider=provider, user=user, scopes=("openid", "profile", "email", "offline_access"), auth_time=now,
            amr=("pwd",), family=new_family(), login_session=login.pk, sid=login.sid,
        )  # fmt: skip
        tokens = issue(authorization, mappings, refresh_until=now + timedelta(days=1))
        refreshing.append(tokens.refresh_token)
    return {
        "id": provider.client_id,
        "secret": provider.client_secret,
        "codes": names,
        "refresh": refreshing,
        "access": tokens.access_token,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
