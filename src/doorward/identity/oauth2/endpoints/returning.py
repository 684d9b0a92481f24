"""Sending the browser back to the client: with a code or with an error, and always with ``iss`` (RFC 9207, S-438)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from doorward.identity.oauth2 import pushed_requests
from doorward.identity.oauth2.authorization_request import ReturnTo
from doorward.identity.oauth2.denial import Denial
from doorward.identity.oauth2.issuer import issuer_of
from doorward.identity.oauth2.redirects import origin_of


def with_fields(request: HttpRequest, return_to: ReturnTo, fields: dict[str, str]) -> HttpResponse:
    """With a code, or tokens."""
    return _answer(request, return_to, fields)


def with_error(request: HttpRequest, return_to: ReturnTo, denial: Denial) -> HttpResponse:
    """A pushed request is used up by a refusal, too."""
    if return_to.pushed:
        pushed_requests.answer(return_to.pushed)
    return _answer(request, return_to, {"error": denial.error, "error_description": denial.description})


def redirect(url: str, status: int = 302) -> HttpResponse:
    """To a URL that was checked against the registered ones; native applications have schemes of their own, which
    Django's redirect class refuses."""
    response = HttpResponse(status=status)
    response["Location"] = url
    response["Cache-Control"] = "no-store"
    return response


def extended(url: str, fields: dict[str, str]) -> str:
    """``url`` with ``fields`` added to its query; what is there stays as it is."""
    if not fields:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"


def _answer(request: HttpRequest, return_to: ReturnTo, fields: dict[str, str]) -> HttpResponse:
    if return_to.state:
        fields["state"] = return_to.state
    fields["iss"] = issuer_of(return_to.client.provider)
    status = 303 if request.method == "POST" else 302
    if return_to.response_mode == "form_post":
        return _form(request, return_to, fields)
    if return_to.response_mode == "fragment":
        return redirect(f"{return_to.redirect_uri}#{urlencode(fields)}", status)
    return redirect(extended(return_to.redirect_uri, fields), status)


def _form(request: HttpRequest, return_to: ReturnTo, fields: dict[str, str]) -> HttpResponse:
    """A page that submits itself (OAuth 2.0 Form Post Response Mode), and has a button where scripts are off."""
    context = {"application": return_to.client.application, "action": return_to.redirect_uri, "fields": fields}
    response = render(request, "oauth2/form_post.html", context)
    # The one place that this page may post to (S-407).
    response.form_action_origins = (origin_of(return_to.redirect_uri),)  # type: ignore[attr-defined]
    return response
