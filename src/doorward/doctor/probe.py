"""One look at a protected application from outside: is a stranger let in, and does the outpost answer?

It goes to the application's own external host and nowhere else: a redirect to another host is looked at and never
followed, the address that was checked is the one that is connected to, and what the page says is thrown away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from doorward.doctor import login_redirect
from doorward.doctor.browser import Browser, Seen
from doorward.doctor.login_redirect import origin_of
from doorward.doctor.places import NoAddress, Places
from doorward.messages.decisions import GUARDED, OPEN, SILENT
from doorward.net.client import Unreachable

PREFIX = "/outpost.goauthentik.io"
PATIENCE = 10.0
LARGEST = 256 << 10
MOST_STEPS = 5
_PATHS = ("/", "/doorward-probe", "/doorward-probe/a/b.html")
"""The first that is no unauthenticated path is asked for."""


@dataclass(frozen=True, slots=True)
class Look:
    outcome: str
    """``guarded``, ``open`` or ``silent`` (``messages.decisions``)."""
    detail: str


@dataclass(frozen=True, slots=True)
class Target:
    """What is looked at."""

    external_host: str
    client_id: str
    is_open: Callable[[str], bool]
    """Whether a path is meant to be open to everybody."""
    whole_domain: bool = False
    """Only the login is at the external host: what else is there is nobody's to protect."""


def is_no_ones_server(address: str) -> bool:
    """Addresses at which no application of anybody can be: link-local ones (a cloud's own data is there) and such."""
    there = ip_address(address.partition("%")[0])
    there = getattr(there, "ipv4_mapped", None) or there
    return there.is_link_local or there.is_multicast or there.is_unspecified


async def look(target: Target, ca_pem: str = "") -> Look:
    """Never raises for what is out there."""
    path = f"{PREFIX}/start" if target.whole_domain else _path(target)
    if path is None:
        return Look(GUARDED, "every path is open to everybody, as configured")
    url = target.external_host.rstrip("/") + path
    try:
        return await _walked(url, target, ca_pem)
    except (NoAddress, Unreachable, ValueError) as error:
        why = str(error).rstrip(".")
    if url.startswith("https:"):
        # Whoever clicks a warning away, or asks with a program that does not look, is a stranger too.
        with contextlib.suppress(NoAddress, Unreachable, ValueError):
            found = await _walked(url, target, ca_pem, trusting=True)
            return Look(found.outcome, f"{found.detail}; browsers warn of the certificate: {why}"[:200])
    return Look(SILENT, f"no answer: {why}"[:200])


async def _walked(url: str, target: Target, ca_pem: str, *, trusting: bool = False) -> Look:
    places = Places(refuse=is_no_ones_server)
    browser = Browser(places, ca_pem, trusting=trusting, patience=PATIENCE, largest=LARGEST)
    try:
        return await _walk(browser, url, target)
    finally:
        await browser.close()


def _path(target: Target) -> str | None:
    prefix = urlsplit(target.external_host).path.rstrip("/")
    return next((path for path in _PATHS if not target.is_open(prefix + path)), None)


async def _walk(browser: Browser, url: str, target: Target) -> Look:
    host = urlsplit(url).hostname
    for _ in range(MOST_STEPS):
        seen = await browser.open(url)
        judged = _judged(seen, target)
        if judged is not None:
            return judged
        if urlsplit(seen.location).hostname != host:
            return Look(SILENT, f"a stranger is sent to {origin_of(seen.location)[:100]}, which is not this login")
        url = seen.location
    return Look(SILENT, f"more than {MOST_STEPS} redirects")


def _judged(seen: Seen, target: Target) -> Look | None:
    """None for a redirect that says nothing yet."""
    if seen.location:
        found = login_redirect.read(seen.location)
        if found is None:
            return None
        asked = parse_qs(urlsplit(found.location).query).get("client_id", [""])[0]
        if asked == target.client_id:
            return Look(GUARDED, "a stranger is sent to log in")
        return Look(SILENT, f"a stranger is sent to log in to something else, at {found.issuer[:100]}")
    if seen.status == 401 and seen.first("x-authentik-id"):
        return Look(GUARDED, "a stranger is answered 401")
    if seen.status < 300 and not urlsplit(seen.url).path.startswith(PREFIX):
        return Look(OPEN, f"a stranger is answered {seen.status}")
    return Look(SILENT, f"a stranger is answered {seen.status}, not by the outpost")
