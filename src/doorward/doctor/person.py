"""The way of somebody with a password: through the login into the application, and what the application is told."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from doorward.doctor import answers, login_redirect
from doorward.doctor.browser import Browser, Seen
from doorward.doctor.findings import DOUBT, GOOD, NOTE, REMEDIES, Finding
from doorward.doctor.forms import Form, form_of
from doorward.doctor.front import fault
from doorward.doctor.login_redirect import origin_of
from doorward.doctor.places import NoAddress
from doorward.doctor.stranger import COOKIE
from doorward.net.client import Unreachable

MOST_STEPS = 40
MOST_ROUNDS = 3
"""Redirects to the login before it is called a loop."""
_ECHO = re.compile(r"^Hostname: .*^(?:GET|POST) \S+ HTTP/", re.DOTALL | re.MULTILINE)
_MUST = ("username", "groups", "email", "name", "uid")
_MAY = (
    "jwt", "entitlements", "meta-jwks", "meta-outpost", "meta-provider", "meta-app", "meta-version",
)  # fmt: skip
_SPELLINGS = (
    ("X-authentik-{}", "-"),
    ("X_authentik_{}", "_"),
    ("X-authentik_{}", "_"),
    ("X.authentik.{}", "."),
)


@dataclass(slots=True)
class Person:
    """Somebody with a name and a password, at ``url``."""

    url: str
    browser: Browser
    name: str
    password: str

    async def walk(self) -> AsyncIterator[Finding]:
        """Log in, look at what the application was told, try to forge it, and leave."""
        issuer = ""
        try:
            arrived: Seen | None = None
            async for step in self._log_in():
                if isinstance(step, Finding):
                    yield step
                elif isinstance(step, Seen):
                    arrived = step
                else:
                    issuer = step
            if arrived is not None:
                async for finding in self._told(arrived):
                    yield finding
        except (NoAddress, Unreachable) as error:
            yield fault("unreachable", f"The connection failed during the login: {error}.")
        finally:
            if issuer:
                await self._leave(issuer)
            await self.browser.close()

    async def _log_in(self) -> AsyncIterator[Finding | Seen | str]:
        """Findings, the issuer's origin, and the application's page at the end."""
        url, form, rounds, tries = self.url, None, 0, 0
        dropped = ""
        for _ in range(MOST_STEPS):
            seen = await self.browser.open(url, form=form)
            form = None
            for cookie in seen.dropped:
                if cookie.name.startswith(COOKIE):
                    dropped = cookie.code
            if seen.location:
                found = login_redirect.read(seen.location)
                if found is not None:
                    yield found.issuer
                    rounds += 1
                    if rounds > MOST_ROUNDS:
                        yield self._loop(dropped)
                        return
                url = seen.location
                continue
            if urlsplit(seen.url).hostname == urlsplit(self.url).hostname and not _is_flow(seen):
                if seen.status < 300:
                    yield Finding(GOOD, "logged_in", f"{self.name} is logged in and gets to the application.")
                    yield seen
                else:
                    yield self._loop(dropped) if seen.title.startswith("You keep being") else answers.refusal(seen)
                return
            page = form_of(seen)
            problem, tries = self._fill(seen, page, tries)
            if problem is not None:
                yield problem
                return
            assert page is not None
            url, form = page.action, page.encoded()
        yield fault("redirect_loop", f"The login does not end after {MOST_STEPS} steps; the last was {url}.")

    def _fill(self, seen: Seen, page: Form | None, tries: int) -> tuple[Finding | None, int]:
        if page is None:
            denied = "access denied" in seen.title.lower() or "may not open" in seen.body
            code = "login_denied" if denied else "login_needs_more"
            return fault(code, f"The login ends at the page “{seen.title}” ({seen.status})."), tries
        left = dict(page.kinds)
        if page.asks_for("uid_field"):
            page.fields["uid_field"] = self.name
            del left["uid_field"]
        if page.asks_for("password"):
            if tries:
                return fault(
                    "login_failed", f"The identity provider does not accept the password of {self.name}."
                ), tries
            tries += 1
            page.fields["password"] = self.password
            del left["password"]
        if left:
            what = ", ".join(sorted(left))
            return fault("login_needs_more", f"The page “{seen.title}” asks for more than a password: {what}."), tries
        return None, tries

    def _loop(self, dropped: str) -> Finding:
        if dropped:
            return fault(dropped, "The login goes in circles, because the browser drops the session cookie.")
        sent = any(cookie.name.startswith(COOKIE) for cookie in self.browser.cookies.of(self.url))
        if sent:
            text = "The login goes in circles: it succeeds, the browser sends the session cookie, and is asked again."
            return fault("cookie_not_forwarded", text)
        text = "The login goes in circles: after it there is no session cookie for the application's address."
        return fault("cookie_missing", text)

    # --- what the application was told -------------------------------------------------------------------------------

    async def _told(self, arrived: Seen) -> AsyncIterator[Finding]:
        if _ECHO.search(arrived.body) is None:
            text = "The application does not show its request: what it is told is on the page “Headers”, or try whoami."
            yield Finding(NOTE, "no_echo", text)
            return
        fields = echoed(arrived.body)
        missing = [name for name in _MUST if not any(f"x-authentik-{name}" == each for each, _ in fields)]
        if missing:
            names = ", ".join(f"X-authentik-{name}" for name in missing)
            yield fault("header_not_copied", f"The application does not get {names}.")
        said = next((value for name, value in fields if name == "x-authentik-username"), "")
        if said and said.lower() != self.name.lower() and "@" not in self.name:
            yield fault("forged_header_arrives", f"The application is told that {said} is asking, not {self.name}.")
        elif said:
            yield Finding(GOOD, "headers", f"The application is told that {said} is asking.")
        rare = [name for name in _MAY if not any(f"x-authentik-{name}" == each for each, _ in fields)]
        if rare and not missing:
            names = ", ".join(f"X-authentik-{name}" for name in rare)
            yield Finding(DOUBT, "header_not_copied", f"Not handed on: {names}.", REMEDIES["header_not_copied"])
        forged = sorted({name async for name in self._forge()})
        dotted = [name for name in forged if "." in name]
        read_by_all = [name for name in forged if "." not in name]
        if read_by_all:
            names = ", ".join(read_by_all)
            yield fault("forged_header_arrives", f"Forged by the client, and received by the application: {names}.")
        if dotted:
            text = f"Forged by the client in a spelling that few applications read: {', '.join(dotted)}."
            yield Finding(DOUBT, "forged_alias_arrives", text, REMEDIES["forged_alias_arrives"])
        if not forged:
            yield Finding(GOOD, "not_forged", "Forged identity fields do not reach the application, however spelled.")

    async def _forge(self) -> AsyncIterator[str]:
        """Names under which something forged arrives."""
        for pattern, separator in _SPELLINGS:
            marker = f"forged{secrets.token_hex(6)}"
            names = [pattern.format(name.replace("-", separator)) for name in (*_MUST, *_MAY)]
            seen = await self.browser.open(self.url, *((name, marker) for name in names))
            for name, value in echoed(seen.body):
                if marker in value:
                    yield name

    async def _leave(self, issuer: str) -> None:
        """End this login and its session, and nobody else's."""
        try:
            seen = await self.browser.open(f"{issuer}/if/flow/default-invalidation-flow/")
            for _ in range(5):
                page = form_of(seen) if not seen.location else None
                if page is not None:
                    seen = await self.browser.open(page.action, form=page.encoded())
                elif origin_of(seen.location) == issuer:
                    seen = await self.browser.open(seen.location)
                else:
                    return
        except (NoAddress, Unreachable):
            return


def echoed(body: str) -> list[tuple[str, str]]:
    """Fields of the request that an application like whoami shows, names in lower case."""
    return [(name.strip().lower(), value.strip()) for name, mark, value in map(_parted, body.splitlines()) if mark]


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def _is_flow(seen: Seen) -> bool:
    return urlsplit(seen.url).path.startswith("/if/flow/")
