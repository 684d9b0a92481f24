"""Every way to say no, in the words that people search for (``contracts/outpost.md`` sections 3.3, 4 and 7.4)."""

from __future__ import annotations

import json

from doorward.messages.http import Header, HttpAnswer
from doorward.outpost import pages
from doorward.outpost.application import Application
from doorward.outpost.pages import Link

_BEARER: Header = (b"WWW-Authenticate", b'Bearer realm="authentik"')
_BASIC: Header = (b"WWW-Authenticate", b'Basic realm="authentik", charset="UTF-8"')


def challenges(*, basic: bool) -> tuple[Header, ...]:
    """What could be sent instead of an ``Authorization`` field that was not accepted."""
    return (_BEARER, _BASIC) if basic else (_BEARER,)


def unknown_host(host: str) -> HttpAnswer:
    """No application has this host."""
    body = {
        "Message": "no app for hostname",
        "Host": host,
        "Detail": f"Check the outpost settings and make sure '{host}' is included.",
    }
    return pages.json(400, json.dumps(body, indent="\t", ensure_ascii=False).encode("utf-8", "replace") + b"\n")


def configuration_error() -> HttpAnswer:
    """What would be a yes by accident."""
    return pages.text(500, "configuration error")


def unreadable(status: int, text: str) -> HttpAnswer:
    """The proxy did not tell what the browser asked for."""
    return pages.text(status, text)


def untrusted_peer() -> HttpAnswer:
    """Somebody who is no proxy of ours asks in a browser's name (S-120)."""
    return pages.text(403, "this address may not ask on behalf of others")


def unauthorized_request(cookie: bytes | None, challenges: tuple[Header, ...] = ()) -> HttpAnswer:
    """For proxies that look at the status only."""
    cookies = [(b"Set-Cookie", cookie)] if cookie is not None else []
    return pages.text(401, "unauthorized request", *cookies, *challenges)


def not_found() -> HttpAnswer:
    """No endpoint of ours."""
    return pages.text(404, "404 page not found")


def forbidden(what: str) -> HttpAnswer:
    """Never allowed, logged in or not."""
    return pages.text(403, what)


def method_not_allowed(*allowed: str) -> HttpAnswer:
    """A method that would have no meaning here, or a side effect that it must not have (S-339)."""
    return pages.text(405, "method not allowed", (b"Allow", ", ".join(allowed).encode()))


def log_in_first(login_url: str, challenges: tuple[Header, ...]) -> HttpAnswer:
    """To programs: a redirect to a page would be of no use to them. Without a cookie: it could replace the one of
    a login that is under way in another tab."""
    detail = "The credentials were not accepted." if challenges else "Authentication is required."
    return pages.reason(401, {"detail": detail, "login_url": login_url}, *challenges)


def header_refused(login_url: str, challenges: tuple[Header, ...]) -> HttpAnswer:
    """An ``Authorization`` field that was not accepted, where the provider receives such fields."""
    return pages.page(
        401,
        "Unauthenticated",
        "Due to 'Receive header authentication' being set, no redirect is performed.",
        link=Link("Log in with the browser", login_url),
        headers=challenges,
    )


def too_many_attempts() -> HttpAnswer:
    """Wrong credentials again and again: nothing more is tried for a while."""
    detail = "Too many wrong credentials came from this address. Try again in a few minutes."
    return pages.reason(429, {"detail": detail}, (b"Retry-After", b"300"))


def credentials_unchecked() -> HttpAnswer:
    """The issuer does not answer, so no program is recognised."""
    detail = "The credentials could not be checked just now. Try again in a moment."
    return pages.reason(503, {"detail": detail}, (b"Retry-After", b"5"))


def unusable_rule(application: Application, login_url: str) -> HttpAnswer:
    """A skip rule that cannot be used stands before the decision about a stranger (S-212)."""
    return pages.page(
        503,
        "This application is not set up correctly",
        f"One of the rules for unauthenticated paths of {application.provider.name} cannot be used, so only people "
        "who are logged in can be let in. An administrator finds the rule in the log.",
        link=Link("Log in", login_url),
    )


def bad_parameters(application: Application, error: Exception) -> HttpAnswer:
    """Our own query parameters contradict themselves."""
    return pages.page(
        400,
        "This link does not work",
        f"The address could be understood in more than one way: {error}.",
        link=Link("Go to the application", application.home),
    )


def store_unavailable(application: Application) -> HttpAnswer:
    """Nobody can be recognised, so nobody is let in."""
    return pages.page(
        503,
        "The login service is not available",
        "Your session could not be checked just now, because the service that keeps it does not answer. "
        "You are not logged out. Please try again in a moment.",
        link=Link("Go to the application", application.home),
        headers=((b"Retry-After", b"5"),),
        reason="store_unavailable",
    )


def issuer_away(application: Application) -> HttpAnswer:
    """The issuer does not answer, or never did, so nobody can be sent there."""
    return pages.page(
        503,
        "The identity provider does not answer",
        "You cannot be logged in just now. People who are logged in already are not affected. Please try again in a "
        "moment.",
        link=Link("Try again", application.home),
        headers=((b"Retry-After", b"5"),),
        reason="issuer_away",
    )


def store_unavailable_json() -> HttpAnswer:
    """The same to a program."""
    detail = "The session could not be checked just now. Try again in a moment."
    return pages.reason(503, {"detail": detail}, (b"Retry-After", b"5"))


def ambiguous_escape(status: int) -> HttpAnswer:
    """A path with a character that servers read differently, where the path decides who may pass (S-205, S-207)."""
    return pages.text(status, "this path could be read in more than one way")


def ambiguous_path() -> HttpAnswer:
    """A path that servers could give to different applications."""
    return forbidden("this path could belong to more than one application")
