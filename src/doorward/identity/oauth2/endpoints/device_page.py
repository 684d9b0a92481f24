"""``/device``: where people let a device in (RFC 8628 section 3.3).

    log in → type the code, or follow a link that has it → see which application asks, and agree (a POST of this page)
    → the brand's device flow → the provider's authorization flow (consent) → the device may come in

A link cannot do it: whoever follows one sees client and code and has to agree on this page (S-422). The two flows end
at addresses that only this file names as a continuation; their receipts are the proof that somebody agreed here.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from doorward.identity.brands.queries import current_brand, default_flow
from doorward.identity.events.actor import Actor
from doorward.identity.flows import entrance
from doorward.identity.flows.denied_page import denied_page
from doorward.identity.flows.entrance import PlanContext, RequestedScope
from doorward.identity.flows.models import Flow
from doorward.identity.logins import queries as logins
from doorward.identity.logins.models import LoginSession
from doorward.identity.oauth2 import device_codes, scopes
from doorward.identity.oauth2.device_codes import TooManyCodes
from doorward.identity.oauth2.kept_out import kept_out
from doorward.identity.oauth2.models import DeviceCode
from doorward.identity.policies.asked import Asked
from doorward.identity.policies.queries import verdict


@require_http_methods(["GET", "POST"])
def device(request: HttpRequest) -> HttpResponse:
    """``/device?code=…``: the form for the code, or the question about the device that it belongs to."""
    flow, login = _flow(), logins.current(request)
    code = request.POST.get("code", "") if request.method == "POST" else _code(request)
    if login is None or login.user is None:
        return _log_in(request, code)
    if not code:
        return render(request, "oauth2/device.html", {"visitor": login.user})
    row = _find(request, code)
    if isinstance(row, HttpResponse):
        return row
    match request.POST.get("answer") if request.method == "POST" else "":
        case "allow":
            return _through(request, flow, row)
        case "deny":
            device_codes.refuse(row)
            return _told(request, row, allowed=False)
        case None:
            return _to(_address("device", row), 303)
    context = {"visitor": login.user, "row": row, "code": device_codes.spelled(row.user_code)}
    return render(request, "oauth2/device_question.html", {**context, "application": row.provider.application})


@require_GET
def consent(request: HttpRequest) -> HttpResponse:
    """``/device/consent/?code=…``: behind the device flow; on to the question what the application may know."""
    login = logins.current(request)
    if login is None or login.user is None or not entrance.passed(request, _flow(), continuation=_here(request)):
        return _to(f"{reverse('device')}?{urlencode({'code': _code(request)})}", 302)
    row = _find(request, _code(request))
    if isinstance(row, HttpResponse):
        return row
    refused = _kept_out(request, row, login)
    if refused is not None:
        return refused
    application, end = row.provider.application, _address("device-end", row)
    mappings = scopes.mappings_of(row.provider)
    asked = tuple(
        RequestedScope(name, " ".join(dict.fromkeys(m.description for m in mappings[name] if m.description)))
        for name in row.scope.split()
        if name in mappings
    )
    context = PlanContext(
        application=application, scopes=asked, continuation=end, declined=_address("device", row), require_consent=False
    )
    return entrance.start(request, row.provider.authorization_flow, next_url=end, context=context)


@require_GET
def end(request: HttpRequest) -> HttpResponse:
    """``/device/end/?code=…``: behind the consent. The device is let in."""
    login = logins.current(request)
    row = _find(request, _code(request)) if login is not None and login.user is not None else None
    if login is None or not isinstance(row, DeviceCode):
        return row if isinstance(row, HttpResponse) else _to(reverse("device"), 302)
    if not entrance.passed(request, row.provider.authorization_flow, continuation=_here(request)):
        return _to(_address("device", row), 302)
    refused = _kept_out(request, row, login)
    if refused is not None:
        return refused
    if not device_codes.allow(Actor.of(request), row, login):
        return _not_waiting(request)
    return _told(request, row, allowed=True)


def _through(request: HttpRequest, flow: Flow, row: DeviceCode) -> HttpResponse:
    there = _address("device-consent", row)
    context = PlanContext(application=row.provider.application, continuation=there)
    response = entrance.start(request, flow, next_url=there, context=context)
    response.status_code = 303
    return response


def _kept_out(request: HttpRequest, row: DeviceCode, login: LoginSession) -> HttpResponse | None:
    """The application's access rules are for devices too (S-421, CVE-2024-38371)."""
    user, application = login.user, row.provider.application
    assert user is not None
    access = verdict(application, user, Asked.by(request))
    if access.passing:
        return None
    device_codes.refuse(row)
    kept_out(Actor.of(request), application, user, access.reasons, by=login.sid)
    return denied_page(request, application=application, reasons=access.reasons, said=access.messages)


def _find(request: HttpRequest, code: str) -> DeviceCode | HttpResponse:
    try:
        row = device_codes.find(code, Actor.of(request))
    except TooManyCodes:
        text = _("Too many codes were wrong. Wait an hour, then start again on the device.")
        return _ask_again(request, text, 429)
    if row is None or getattr(row.provider, "application", None) is None:
        return _not_waiting(request)
    return row


def _not_waiting(request: HttpRequest) -> HttpResponse:
    text = _("No device waits under this code. Codes are good for ten minutes, and for one time.")
    return _ask_again(request, text, 400)


def _ask_again(request: HttpRequest, text: str, status: int) -> HttpResponse:
    login = logins.current(request)
    context = {"error": text, "visitor": login.user if login else None}
    return render(request, "oauth2/device.html", context, status=status)


def _told(request: HttpRequest, row: DeviceCode, *, allowed: bool) -> HttpResponse:
    return render(request, "oauth2/device_told.html", {"application": row.provider.application, "allowed": allowed})


def _log_in(request: HttpRequest, code: str) -> HttpResponse:
    flow = default_flow(Flow.Designation.AUTHENTICATION)
    if flow is None:
        raise Http404("Nobody can log in: no authentication flow is configured.")
    here = reverse("device") + (f"?{urlencode({'code': code})}" if code else "")
    return entrance.start(request, flow, next_url=here, context=PlanContext(continuation=here))


def _flow() -> Flow:
    flow = current_brand().flow_device_code
    if flow is None:
        raise Http404("The brand has no flow for devices.")
    return flow


def _code(request: HttpRequest) -> str:
    return (request.GET.get("code") or request.GET.get("user_code") or "")[:40]


def _address(name: str, row: DeviceCode) -> str:
    return f"{reverse(name)}?{urlencode({'code': device_codes.spelled(row.user_code)})}"


def _here(request: HttpRequest) -> str:
    return request.get_full_path()


def _to(url: str, status: int) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = status
    return response
