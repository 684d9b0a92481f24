"""``/source/oauth/login/<slug>/`` and ``/source/oauth/callback/<slug>/``: to the provider and back.

A GET of the first begins a login. Connecting an account begins with a POST from the user's own pages, by a recent
login, and never with a link that somebody else can send (S-525).
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.flows.next_url import safe_next
from doorward.identity.policies.asked import Asked
from doorward.identity.sources import entry
from doorward.identity.sources.mapping import MappingFailed
from doorward.identity.sources.models import OAuthSource
from doorward.identity.sources.oauth import attempts, login
from doorward.identity.sources.oauth.errors import SourceFailed

_ANSWERS = ("state", "code", "error", "iss")


@require_GET
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    """To the provider. ``next`` and ``flow`` say where the visitor was."""
    source = _source(slug)
    if not entry.offered(request, source):
        return entry.refuse(request, source, _("This way to log in is closed."), "Its bindings do not pass.")
    return leave(request, source, next_url=safe_next(request.GET.get("next", "")), flow=request.GET.get("flow", ""))


def leave(
    request: HttpRequest, source: OAuthSource, *, next_url: str = "", flow: str = "", connecting: int | None = None
) -> HttpResponse:
    """The redirect to the provider, with an attempt in the session."""
    attempt = attempts.begin(request.session, source, next_url=next_url, flow=flow[:100], connecting=connecting)
    try:
        return HttpResponseRedirect(login.authorization_url(source, attempt))
    except SourceFailed as error:
        return _failed(request, source, error)


@csrf_exempt  # the form is another site's; the state, which the redirect brings, is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def callback(request: HttpRequest, slug: str) -> HttpResponse:
    """Back from the provider: whatever it says is worth something only with a state that this browser was given.

    An answer that comes as a form (``response_mode=form_post``) comes without the session's cookie: the browser is
    sent here once more, as if the answer had been in the query.
    """
    source = _source(slug)
    if request.method == "POST":
        answer = [(name, value) for name in _ANSWERS for value in request.POST.getlist(name)]
        again = HttpResponseRedirect(f"{request.path}?{urlencode(answer)}")
        again.status_code = 303
        return again
    if any(len(request.GET.getlist(name)) > 1 for name in _ANSWERS):
        return entry.refuse(request, source, _("That answer makes no sense."), "A parameter was there twice.")
    attempt = attempts.take(request.session, source, request.GET.get("state", ""))
    if attempt is None:
        return entry.refuse(
            request,
            source,
            _("This login has expired, or began in another browser. Please start again."),
            "The state is none that this session has been given, or was used already.",
        )
    code = request.GET.get("code", "")
    if not code:
        error = request.GET.get("error", "")[:100]
        return entry.refuse(request, source, _("You did not log in there."), f"The provider says: {error!r}.")
    try:
        arrival = login.arrived(source, attempt, code, request.GET.get("iss"), Asked.by(request))
    except (SourceFailed, MappingFailed) as error:
        return _failed(request, source, error)
    return entry.proceed(
        request, source, arrival, next_url=attempt.next, flow=attempt.flow, connecting=attempt.connecting
    )


def _source(slug: str) -> OAuthSource:
    source = OAuthSource.objects.filter(slug=slug, enabled=True).first()
    if source is None:
        raise Http404
    return source


def _failed(request: HttpRequest, source: OAuthSource, error: Exception) -> HttpResponse:
    message = _("%(source)s cannot be asked right now. An administrator finds the cause in the events.")
    return entry.refuse(request, source, message % {"source": source.name}, str(error))
