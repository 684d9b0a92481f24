"""The way of a stranger: from the address that was given to the login page, and what comes back from there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from doorward.doctor import answers, login_redirect
from doorward.doctor.browser import Browser, Seen
from doorward.doctor.findings import DOUBT, FAULT, GOOD, NOTE, REMEDIES, Finding
from doorward.doctor.front import fault, way_to
from doorward.doctor.login_redirect import LoginRedirect, origin_of
from doorward.doctor.places import NoAddress, Places
from doorward.net.client import Unreachable

PREFIX = "/outpost.goauthentik.io"
COOKIE = "authentik_proxy"
MOST_STEPS = 12
PAST_TLS = frozenset({"tls_untrusted", "tls_expired", "tls_wrong_name"})
"""Faults that a person could click away: the rest of the way is worth a look all the same."""
SKEW = 60.0
"""Seconds by which clocks may differ: as much as tokens are given."""
FORGED = (
    ("X-authentik-username", "akadmin"),
    ("X-authentik-uid", "forged"),
    ("X-authentik-groups", "authentik Admins"),
)


class Stranger:
    """One stranger at ``url``. ``login`` is the redirect that was found, if one was."""

    def __init__(self, url: str, places: Places, ca_pem: str, *, trusting: bool) -> None:
        self.url = url
        self.login: LoginRedirect | None = None
        self.returns = True
        """Whether a login that begins so could come back; if not, why has been said."""
        self.trusting = trusting
        """Whether a certificate that browsers warn of is in the way, and was said."""
        self._places, self._ca_pem = places, ca_pem
        self._browser = self._fresh()

    def _fresh(self) -> Browser:
        return Browser(self._places, self._ca_pem, trusting=self.trusting)

    async def walk(self) -> AsyncIterator[Finding]:
        """Everything, as far as it leads."""
        try:
            async for finding in self._to_the_login():
                yield finding
            if self.login is not None:
                async for finding in self._at_the_login(self.login):
                    yield finding
                if self.returns:
                    async for finding in self._back(self.login):
                        yield finding
                async for finding in self._other_visitors():
                    yield finding
        except (NoAddress, Unreachable) as error:
            yield fault("unreachable", f"The connection failed on the way: {error}.")
        finally:
            await self._browser.close()

    # --- from the application to the login -------------------------------------------------------------------------

    async def _to_the_login(self) -> AsyncIterator[Finding]:
        url, visits, dropped = self.url, Counter[str](), False
        for _ in range(MOST_STEPS):
            seen = await self._browser.open(url)
            visits[url] += 1
            for cookie in seen.dropped:
                if cookie.name.startswith(COOKIE) and not dropped:
                    dropped = True
                    yield fault(cookie.code, f"The browser drops the cookie {cookie.name}: {cookie.why}.")
            if not seen.location:
                yield await self._stopped(seen)
                return
            found = login_redirect.read(seen.location)
            if found is not None:
                yield Finding(GOOD, "asked_to_log_in", f"A stranger is sent to log in at {found.issuer}.")
                async for finding in self._judge(found, seen, dropped=dropped):
                    self.returns = self.returns and finding.verdict == GOOD
                    yield finding
                self.returns = self.returns and not dropped
                self.login = found
                return
            if visits[seen.location] > 1 or seen.location == url:
                yield self._loop(url, seen.location)
                return
            if urlsplit(seen.location).hostname != urlsplit(url).hostname:
                text = f"A stranger is sent to {origin_of(seen.location)}, which is no login of an outpost."
                yield Finding(DOUBT, "foreign_login", text, REMEDIES["foreign_login"])
                return
            if url == self.url and _only_the_scheme_differs(url, seen.location):
                yield Finding(NOTE, "to_https", f"{url} leads to https.")
                self.url = seen.location
                async for finding in way_to(self.url, self._places, self._ca_pem):
                    yield finding
                    if finding.verdict == FAULT and finding.code not in PAST_TLS:
                        return
                    await self._past(finding)
            url = seen.location
        yield fault(
            "redirect_loop", f"After {MOST_STEPS} redirects there is still no login page; the last was to {url}."
        )

    async def _past(self, finding: Finding) -> None:
        """Go on as somebody who clicks a warning away."""
        if finding.code in PAST_TLS and not self.trusting:
            self.trusting, former = True, self._browser
            self._browser = self._fresh()
            self._browser.cookies = former.cookies
            await former.close()

    async def _stopped(self, seen: Seen) -> Finding:
        path = urlsplit(seen.url).path
        if seen.status < 300:
            if path.startswith(PREFIX):
                return fault("outpost_path_not_routed", f"{origin_of(seen.url)}{path} is answered by the application.")
            return fault(
                "anonymous_let_through",
                f"{seen.url} answers a stranger with {seen.status}"
                + (f" and the page “{seen.title}”." if seen.title else "."),
            )
        if path.startswith(PREFIX) and seen.status == 404 and not seen.first("x-authentik-id"):
            return fault("outpost_path_not_routed", f"{origin_of(seen.url)}{path} is answered 404, not by the outpost.")
        if seen.status in (403, 500) and not seen.first("x-authentik-id"):
            # nginx makes a page of its own out of whatever the outpost says: ask it what that was.
            asked = await self._browser.open(f"{origin_of(seen.url)}{PREFIX}/auth/nginx")
            if asked.status >= 400 and asked.first("x-authentik-id") and asked.status != 401:
                return answers.refusal(asked)
        return answers.refusal(seen)

    def _loop(self, url: str, location: str) -> Finding:
        if location == url or _only_the_scheme_differs(url, location):
            return fault("scheme_loop", f"{url} leads to {location}, again and again.")
        return fault("redirect_loop", f"{url} leads to {location}, where the browser has just been.")

    async def _judge(self, found: LoginRedirect, seen: Seen, *, dropped: bool) -> AsyncIterator[Finding]:
        """Would a login that begins so be completed?"""
        here = origin_of(self.url)
        sent = [cookie for cookie in self._browser.cookies.of(found.redirect_uri) if cookie.name.startswith(COOKIE)]
        kept = [cookie for cookie in self._browser.cookies.of(self.url) if cookie.name.startswith(COOKIE)]
        if dropped:
            pass  # said already
        elif not kept and not sent:
            yield fault("cookie_missing", f"{origin_of(seen.url)} sends the browser to log in without a cookie.")
        elif found.back != here and not sent:
            yield fault(
                "wrong_external_url", f"The login would come back to {found.back}, and the browser is at {here}."
            )
        elif found.back != here and any(cookie.host_only for cookie in sent):
            yield fault(
                "wrong_external_url",
                f"The login would come back to {found.back}, and its cookie is for that host alone; this is {here}.",
            )
        elif found.back != here and not kept:
            yield fault("cookie_domain", f"The cookie of the login at {found.back} is not sent to {here}.")
        else:
            yield Finding(
                GOOD, "comes_back", f"The login comes back to {found.back}, and the browser keeps its cookie."
            )
        wanted, remembered = urlsplit(self.url).path or "/", found.remembered_path
        if remembered is not None and remembered != wanted:
            yield fault("path_lost", f"{wanted} was asked for, and the outpost remembers {remembered}.")

    # --- the login page, and what comes back -------------------------------------------------------------------------

    async def _at_the_login(self, found: LoginRedirect) -> AsyncIterator[Finding]:
        if found.issuer != origin_of(self.url):
            async for finding in way_to(found.location, self._places, self._ca_pem, "the identity provider"):
                if finding.verdict != GOOD:
                    yield Finding(finding.verdict, finding.code, finding.text, finding.remedy)
                if finding.code in ("dns", "unreachable"):
                    yield fault("issuer_unreachable", f"Browsers cannot open {found.issuer}.")
                    return
        try:
            page = await self._browser.open(found.location)
        except (NoAddress, Unreachable) as error:
            yield fault("issuer_unreachable", f"The login page at {found.issuer} does not open: {error}.")
            return
        for name, clock in (("The identity provider", page.skew), ("The outpost", self._outpost_skew(found))):
            if clock is not None and abs(clock) > SKEW:
                direction = "ahead of" if clock > 0 else "behind"
                text = f"{name}'s clock is {abs(clock):.0f} seconds {direction} this machine's."
                yield fault("clock_skew", text)
        if page.status >= 400:
            code = "redirect_uri_refused" if "redirect" in page.title.lower() else "issuer_unreachable"
            yield fault(code, f"The identity provider answers {page.status} “{page.title}”.")
            return
        yield Finding(GOOD, "login_page", f"The login page at {found.issuer} opens.")

    @staticmethod
    def _outpost_skew(found: LoginRedirect) -> float | None:
        return None if found.outpost_clock is None else found.outpost_clock - time.time()

    async def _back(self, found: LoginRedirect) -> AsyncIterator[Finding]:
        """Come back with a code that nobody gave out: what is said to it shows how far the way is open."""
        mark = "&" if "?" in found.redirect_uri else "?"
        url = f"{found.redirect_uri}{mark}code=doorward-doctor&state={found.state}"
        seen = await self._browser.open(url)
        path = urlsplit(found.redirect_uri).path
        sent = any(cookie.name.startswith(COOKIE) for cookie in self._browser.cookies.of(url))
        if seen.title.startswith("The login could not be completed"):
            yield Finding(GOOD, "callback", f"{path} reaches the outpost, and the outpost reaches the issuer.")
        elif seen.title.startswith("The identity provider does not answer"):
            yield fault("issuer_unreachable_from_outpost", f"The outpost says: “{seen.title}”.")
        elif seen.title.startswith("This login was begun somewhere else"):
            if sent:
                yield fault("cookie_not_forwarded", f"At {path} the outpost did not get the cookie that was sent.")
        elif seen.title.startswith("The clocks do not agree"):
            yield fault("clock_skew", f"The outpost says: “{seen.title}”.")
        elif seen.location or seen.status < 300 or seen.status == 404:
            what = f"redirected to {origin_of(seen.location)}" if seen.location else f"answered {seen.status}"
            yield fault("callback_lost", f"{origin_of(url)}{path} is {what} instead of being taken by the outpost.")
        elif seen.status in (502, 503, 504):
            yield fault("gateway", f"{origin_of(url)}{path} is answered {seen.status}.")
        else:
            text = f"{path} answers {seen.status} to a code that nobody gave out, as an outpost does."
            yield Finding(NOTE, "callback_of_another", text)

    # --- visitors who are no browsers, or say that they are somebody ----------------------------------------------

    async def _other_visitors(self) -> AsyncIterator[Finding]:
        browser = self._fresh()
        try:
            forged = await browser.open(self.url, *FORGED)
            if forged.status < 300:
                text = f"{self.url} lets a stranger in who says X-authentik-username: akadmin."
                yield fault("anonymous_let_through", text)
            script = await browser.open(self.url, ("Accept", "application/json"), ("Sec-Fetch-Mode", "cors"))
            if script.status < 300:
                yield fault("anonymous_let_through", f"{self.url} answers a stranger's script with {script.status}.")
            elif script.status == 401:
                yield Finding(GOOD, "scripts", "A script without a session is answered 401.")
            else:
                yield Finding(NOTE, "scripts", f"A script without a session is answered {script.status}.")
            ping = await browser.open(f"{origin_of(self.url)}{PREFIX}/ping")
            if ping.status == 204:
                yield Finding(GOOD, "ping", f"{PREFIX}/ leads to the outpost.")
            else:
                text = f"{PREFIX}/ping is answered {ping.status}: only what the proxy asks about reaches the outpost."
                yield Finding(NOTE, "ping", text)
        finally:
            await browser.close()


def _only_the_scheme_differs(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    same = (first.hostname, first.path or "/") == (second.hostname, second.path or "/")
    return same and first.scheme != second.scheme
