"""``<slug>/end-session/``: leaving an application (OpenID Connect RP-Initiated Logout 1.0).

For a client of its own kind the provider's invalidation flow decides what ends; by default that is not the login
here. For a protected (proxy) application it is: whoever signs out there means to be asked again, and as long as the
login lived, the next click would let them back in. Ending a login needs to be the user's own wish: shown by a hint
that names them, else asked on a page (S-442, S-443).
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from doorward.identity.flows import entrance
from doorward.identity.flows.entrance import PlanContext
from doorward.identity.flows.models import Flow
from doorward.identity.logins import actions as login_actions
from doorward.identity.logins import queries as logins
from doorward.identity.oauth2 import clients, hints, parameters, redirects
from doorward.identity.oauth2.clients import Client
from doorward.identity.oauth2.endpoints import returning
from doorward.identity.oauth2.hints import Hint
from doorward.identity.oauth2.models import OAuth2Provider
from doorward.identity.oauth2.parameters import Parameters
from doorward.identity.oauth2.subjects import subject_of


@csrf_exempt
@require_http_methods(["GET", "POST"])
def end_session(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method == "POST":
        # Another site's form comes without our cookie: repeat it as a GET, which comes with it.
        query = request.POST.urlencode()
        return returning.redirect(f"{request.path}?{query}" if query else request.path, 303)
    return _end(request, _client(slug), parameters.read(request.GET), wished=False)


@require_POST
@csrf_protect
def confirmed(request: HttpRequest, slug: str) -> HttpResponse:
    """The answer to "Do you want to sign out?"; the query still says where to go afterwards."""
    return _end(request, _client(slug), parameters.read(request.GET), wished=True)


def _end(request: HttpRequest, client: Client, asked: Parameters, *, wished: bool) -> HttpResponse:
    hint = hints.read(asked.get("id_token_hint"), client.provider)
    afterwards = _afterwards(client, asked, hint)
    flow, here = client.provider.invalidation_flow, _own_url(request, client)
    frames: tuple[str, ...] = ()
    if afterwards and entrance.passed(request, flow, continuation=here):
        return returning.redirect(afterwards, 302)
    if _ends_login(client, flow) and logins.current(request) is not None:
        wished = wished or _names_visitor(request, client, hint)
        if not wished:
            return _ask(request, client)
        if client.provider.kind == "proxy":
            frames = login_actions.log_out(request)
    if afterwards and not frames and not flow.stage_bindings.exists():
        return returning.redirect(afterwards, 303 if request.method == "POST" else 302)
    # Without a continuation the flow ends at its own page: you are signed out, here is where you can go.
    origin = redirects.origin_of(afterwards)
    context = PlanContext(
        application=client.application,
        continuation=here if afterwards else "",
        redirect_origins=(origin,) if origin else (),
        confirmed=wished,
        frames=frames,
    )
    return entrance.start(request, flow, next_url=here, context=context)


def _afterwards(client: Client, asked: Parameters, hint: Hint | None) -> str:
    """Where the client wants the browser back, if it may: the address is registered, and the hint is this client's.

    A protected application registers nothing by hand: any page of its own origin will do, and where a whole domain
    is protected by one login, any page under it.
    """
    uri, entries = asked.get("post_logout_redirect_uri"), client.provider.redirect_uris
    if hint is None or not uri:
        return ""
    own = client.provider.kind == "proxy" and (
        redirects.is_page_of(entries, uri) or redirects.is_page_under(_domain(client), entries, uri)
    )
    if not own and not redirects.permitted(entries, uri, "logout"):
        return ""
    state = asked.get("state")
    return returning.extended(uri, {"state": state} if state else {})


def _domain(client: Client) -> str:
    # Clients are read as what they are to OAuth2; the proxy provider, which knows of domains, is a room above.
    provider: OAuth2Provider = getattr(client.provider, "proxyprovider", client.provider)
    return provider.domain


def _ends_login(client: Client, flow: Flow) -> bool:
    return client.provider.kind == "proxy" or flow.stages.filter(kind="userlogout").exists()


def _names_visitor(request: HttpRequest, client: Client, hint: Hint | None) -> bool:
    login = logins.current(request)
    if hint is None or login is None or login.user is None:
        return False
    return hint.sub == subject_of(client.provider, login.user)


def _ask(request: HttpRequest, client: Client) -> HttpResponse:
    path, separator, query = _own_url(request, client).partition("?")
    action = f"{path}confirm/{separator}{query}"
    return render(request, "oauth2/sign_out.html", {"application": client.application, "action": action})


def _own_url(request: HttpRequest, client: Client) -> str:
    """This request as one to ``end-session/``, also when it came from the confirmation."""
    path = reverse("oauth2-end-session", kwargs={"slug": client.application.slug})
    _, separator, query = request.get_full_path().partition("?")
    return f"{path}{separator}{query}"


def _client(slug: str) -> Client:
    client = clients.find_by_slug(slug)
    if client is None:
        raise Http404("No application with an OAuth2 provider has this slug.")
    return client
