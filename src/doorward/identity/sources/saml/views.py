"""``/source/saml/<slug>/``: to the identity provider and back.

    begin ──► the identity provider ──POST──► acs ──303──► arrived ──► entry.proceed
              (another site)             no cookie:        the cookie is here: is it an answer to what
                                         is it believed?   this browser asked? (login CSRF)

``acs`` believes a message or does not; it knows nobody, logs nobody in, and sets no cookie. What it believed waits
under a handle (``handover``). ``arrived`` goes on only where this session has sent the request that was answered.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from doorward.identity.crypto.vault import Unreadable
from doorward.identity.flows import entrance
from doorward.identity.flows.entrance import PlanContext
from doorward.identity.flows.next_url import safe_next
from doorward.identity.oauth2.redirects import origin_of
from doorward.identity.policies.asked import Asked
from doorward.identity.sources import entry
from doorward.identity.sources.mapping import MappingFailed
from doorward.identity.sources.oauth import attempts
from doorward.identity.sources.saml import bindings, handover, login, service
from doorward.identity.sources.saml.errors import Declined, NotBelieved
from doorward.identity.sources.saml.models import SAMLSource

_LONGEST_REASON = 300
"""Characters of an event about a message that anybody may have sent."""


@require_GET
def begin(request: HttpRequest, slug: str) -> HttpResponse:
    """To the identity provider. ``next`` and ``flow`` say where the visitor was."""
    source = source_called(slug)
    if not entry.offered(request, source):
        return entry.refuse(request, source, _("This way to log in is closed."), "Its bindings do not pass.")
    before, here = source.pre_authentication_flow, request.get_full_path()
    if before.stage_bindings.exists() and not entrance.passed(request, before, continuation=here):
        return entrance.start(request, before, next_url=here, context=PlanContext(continuation=here))
    return leave(request, source, next_url=safe_next(request.GET.get("next", "")), flow=request.GET.get("flow", ""))


def leave(
    request: HttpRequest, source: SAMLSource, *, next_url: str = "", flow: str = "", connecting: int | None = None
) -> HttpResponse:
    """The redirect, or the form, that leads to the identity provider, with an attempt in the session."""
    attempt = attempts.begin(
        request.session,
        source,
        next_url=next_url,
        flow=flow[:100],
        connecting=connecting,
        forced=source.force_authn or entry.proves_anew(request, flow, next_url),
    )
    try:
        question = login.question(source, attempt)
    except (Unreadable, ValueError) as error:
        return refused(request, source, error)
    if not question.field:
        return HttpResponseRedirect(question.to)
    context = {
        "source": source,
        "action": question.to,
        "fields": {bindings.REQUEST: question.field},
        "at_once": source.binding_type == SAMLSource.Binding.POST_AUTO,
    }
    response = render(request, "sources/saml_post.html", context)
    response.form_action_origins = (origin_of(question.to),)  # type: ignore[attr-defined]
    return response


@csrf_exempt
@require_POST
def acs(request: HttpRequest, slug: str) -> HttpResponse:
    """What the identity provider says, by a form of its own site. A relay state is not read: none was sent."""
    source = source_called(slug)
    fields = request.POST.getlist(bindings.RESPONSE)
    if len(fields) != 1:
        return refused(request, source, NotBelieved("There is no answer, or more than one."))
    try:
        said = login.believed(source, fields[0])
    except (NotBelieved, Unreadable) as error:
        return refused(request, source, error)
    response = HttpResponseRedirect(f"/source/saml/{source.slug}/arrived/{handover.keep(source, said)}/")
    response.status_code = 303
    return response


@require_GET
def arrived(request: HttpRequest, slug: str, handle: str) -> HttpResponse:
    """Whoever was vouched for, in the browser that has asked."""
    source = source_called(slug)
    try:
        said = handover.take(source, handle)
    except Unreadable as error:  # the key was exchanged in between
        return refused(request, source, error)
    if said is None:
        return _expired(request, source, "The handle is none that was given out, or was used already.")
    attempt = attempts.take(request.session, source, state) if (state := login.state_of(said.in_response_to)) else None
    if attempt is None and (said.in_response_to or not source.allow_idp_initiated):
        return _expired(request, source, "It answers a request that this session has not sent.")
    try:
        # The flow may ask for a fresh proof now, though it did not when the login began.
        if attempt is not None and (attempt.forced or entry.proves_anew(request, attempt.flow, attempt.next)):
            login.require_fresh(attempt, said)
        arrival = login.arrived(source, said, Asked.by(request))
    except (NotBelieved, MappingFailed) as error:
        return refused(request, source, error)
    if attempt is None:
        return entry.proceed(request, source, arrival)
    return entry.proceed(
        request, source, arrival, next_url=attempt.next, flow=attempt.flow, connecting=attempt.connecting
    )


@require_GET
def metadata(request: HttpRequest, slug: str) -> HttpResponse:
    """Who we are, for the identity provider: also while the source is not in use yet."""
    source = SAMLSource.objects.filter(slug=slug).first()
    if source is None:
        raise Http404
    response = HttpResponse(service.metadata(source), content_type="application/samlmetadata+xml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{source.slug}-metadata.xml"'
    return response


def source_called(slug: str) -> SAMLSource:
    """Raises Http404 for one that is not there, or not in use."""
    source = SAMLSource.objects.filter(slug=slug, enabled=True).first()
    if source is None:
        raise Http404
    return source


def refused(request: HttpRequest, source: SAMLSource, error: Exception) -> HttpResponse:
    """The page that says no; the reason is for administrators, and no longer than it has to be."""
    message = (
        _("You did not log in there.")
        if isinstance(error, Declined)
        else _("The answer of %(source)s is not believed. An administrator finds the cause in the events.")
        % {"source": source.name}
    )
    return entry.refuse(request, source, message, str(error)[:_LONGEST_REASON])


def _expired(request: HttpRequest, source: SAMLSource, reason: str) -> HttpResponse:
    message = _("This login has expired, or began in another browser. Please start again.")
    return entry.refuse(request, source, message, reason)
