"""One outpost with its store, its issuer, a clock that only moves when told, and browsers."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import msgspec

from doorward.messages.decisions import Decision
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.outpost import Outpost
from outpost.issuer import ORIGIN, Issuer, Person
from outpost.memory_store import MemoryStore

PREFIX = "/outpost.goauthentik.io"
BOB = Person()
MALLORY = Person("mallory", "Mallory", "mallory@evil.test", ())
NAVIGATION = {
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "none",
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "User-Agent": "Browser/1.0",
}
IDENTITY_NAMES = (
    "X-authentik-username", "X-authentik-groups", "X-authentik-entitlements", "X-authentik-email",
    "X-authentik-name", "X-authentik-uid", "X-authentik-jwt", "X-authentik-meta-jwks", "X-authentik-meta-outpost",
    "X-authentik-meta-provider", "X-authentik-meta-app", "X-authentik-meta-version",
)  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


def provider(pk: int, host: str, **changes: object) -> ProxyProvider:
    """A forward auth provider for ``host``, as a person would set it up."""
    slug = re.sub(r"\W+", "-", host)
    plain = ProxyProvider(
        pk=pk,
        name=f"Provider {pk}",
        outpost="authentik Embedded Outpost",
        application_slug=slug,
        application_name=f"Application {pk}",
        external_host=f"https://{host}",
        client_id=f"client-{pk}-" + "c" * 30,
        client_secret=f"secret-{pk}-" + "s" * 40,
        cookie_secret=f"cookie-{pk}-" + "k" * 40,
        issuer=f"{ORIGIN}/application/o/{slug}/",
        authorization_endpoint=f"{ORIGIN}/application/o/authorize/",
        token_endpoint=f"{ORIGIN}/application/o/token/",
        end_session_endpoint=f"{ORIGIN}/application/o/{slug}/end-session/",
        jwks_uri=f"{ORIGIN}/application/o/{slug}/jwks/",
        keys=(),
        scopes=("profile", "ak_proxy", "openid", "email"),
        introspection_endpoint=f"{ORIGIN}/application/o/introspect/",
    )
    return msgspec.structs.replace(plain, **changes)


class World:
    def __init__(self, *providers: ProxyProvider) -> None:
        self.clock = Clock()
        self.store = MemoryStore(self.clock)
        self.issuer = Issuer(self.clock)
        self.decisions: list[Decision] = []
        self.outpost = self.new_outpost()
        self.use(*providers or (provider(1, "app.example.test"), provider(2, "app2.example.test")))

    def new_outpost(self) -> Outpost:
        """Another worker, or the same one after a restart."""
        return Outpost(self.store, self.issuer, self.clock, decided=self.decisions.append)

    def use(self, *providers: ProxyProvider) -> None:
        known = tuple(msgspec.structs.replace(each, keys=self.issuer.public_keys) for each in providers)
        self.configuration = OutpostConfiguration(position=1, providers=known, version="0.1.0")
        self.issuer.clients = {each.client_id: each for each in known}
        self.outpost.use(self.configuration)

    def restart(self) -> None:
        self.outpost = self.new_outpost()
        self.outpost.use(self.configuration)

    async def ask(
        self,
        target: str,
        headers: dict[str, str] | list[tuple[str, str]],
        *,
        method: str = "GET",
        peer: str = "127.0.0.1",
        trusted: bool = False,
    ) -> HttpAnswer:
        """One question, exactly as given."""
        pairs = headers.items() if isinstance(headers, dict) else headers
        raw = tuple((name.encode("latin-1"), value.encode("utf-8")) for name, value in pairs)
        answer = self.outpost.answer(HttpQuestion(method.encode(), target.encode(), raw, peer=peer, trusted=trusted))
        if not isinstance(answer, HttpAnswer):
            assert inspect.isawaitable(answer)
            answer = await answer
        return answer

    def browser(self, person: Person = BOB, host: str = "app.example.test") -> Browser:
        return Browser(self, person, host)


@dataclass
class Browser:
    """Keeps cookies like a browser, and is logged in at the issuer as ``person``."""

    world: World
    person: Person
    host: str = "app.example.test"
    scheme: str = "https"
    dialect: str = "traefik"
    cookies: dict[str, str] = field(default_factory=dict)
    """Those of ``host`` alone: a browser that changes ``host`` must change them too."""
    domain_cookies: dict[str, str] = field(default_factory=dict)
    """Those of ``cookie_domain`` and every host under it."""
    cookie_domain: str = ""
    keeps_cookies: bool = True
    fused: bool = False

    async def get(
        self, uri: str, *, method: str = "GET", headers: dict[str, str] | None = None, cookie: str | None = None
    ) -> HttpAnswer:
        """A request through the protected route: the proxy asks the outpost about it."""
        own = NAVIGATION if headers is None else headers
        fields = list(own.items())
        sent = self.cookie_header() if cookie is None else cookie
        if sent:
            fields.append(("Cookie", sent))
        if self.dialect == "nginx":
            fields.append(("X-Original-URL", f"{self.scheme}://{self.host}{uri}"))
            fields.append(("Host", self.host))
        elif self.dialect == "envoy":
            fields += [("Host", self.host), ("X-Forwarded-Proto", self.scheme)]
            return await self._asked(f"{PREFIX}/auth/envoy{uri}", fields, method=method)
        else:
            fields += [
                ("X-Forwarded-Proto", self.scheme),
                ("X-Forwarded-Host", self.host),
                ("X-Forwarded-Uri", uri),
                ("X-Forwarded-Method", method),
            ]
        return await self._asked(f"{PREFIX}/auth/{self.dialect}", fields)

    async def _asked(self, target: str, fields: list[tuple[str, str]], *, method: str = "GET") -> HttpAnswer:
        peer, trusted = ("", True) if self.fused else ("127.0.0.1", False)
        answer = await self.world.ask(target, fields, method=method, peer=peer, trusted=trusted)
        self.keep(answer)
        return answer

    async def direct(self, uri: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> HttpAnswer:
        """A request that the proxy hands to the outpost itself."""
        own = NAVIGATION if headers is None else headers
        fields = [*own.items(), ("Host", self.host), ("X-Forwarded-Proto", self.scheme)]
        if self.cookie_header():
            fields.append(("Cookie", self.cookie_header()))
        answer = await self.world.ask(uri, fields, method=method)
        self.keep(answer)
        return answer

    def callback(self, answer: HttpAnswer) -> str:
        """Log in at the issuer where ``answer`` sends us; gives the callback's path and query."""
        parts = urlsplit(self.world.issuer.authorize(location(answer), self.person))
        assert parts.netloc == self.host
        return f"{parts.path}?{parts.query}"

    async def log_in(self, uri: str = "/") -> HttpAnswer:
        """From a first request to the redirect that follows the callback."""
        return await self.get(self.callback(await self.get(uri)))

    def cookie_header(self) -> str:
        pairs = [*self.cookies.items(), *(self.domain_cookies.items() if self._is_in_domain() else ())]
        return "; ".join(f"{name}={value}" for name, value in pairs)

    def _is_in_domain(self) -> bool:
        name = self.host.partition(":")[0]
        return bool(self.cookie_domain) and f".{name}".endswith(f".{self.cookie_domain}")

    def keep(self, answer: HttpAnswer) -> None:
        for line in set_cookies(answer):
            first, *attributes = line.split("; ")
            name, _, value = first.partition("=")
            if not self.keeps_cookies or "Path=/" not in attributes:
                continue
            domains = [each.removeprefix("Domain=") for each in attributes if each.startswith("Domain=")]
            if domains and (domains != [self.cookie_domain] or not self._is_in_domain()):
                continue
            jar = self.domain_cookies if domains else self.cookies
            if "Max-Age=0" in attributes:
                jar.pop(name, None)
            else:
                jar[name] = value


def header(answer: HttpAnswer, name: str) -> str | None:
    found = [value for field_name, value in answer.headers if field_name.lower() == name.lower().encode()]
    assert len(found) <= 1, f"{name} stands {len(found)} times"
    return found[0].decode() if found else None


def location(answer: HttpAnswer) -> str:
    assert answer.status == 302, (answer.status, answer.body)
    found = header(answer, "Location")
    assert found is not None
    return found


def request_of(answer: HttpAnswer) -> dict[str, str]:
    """The parameters of the authorization request that ``answer`` redirects to."""
    found = location(answer)
    assert found.startswith(f"{ORIGIN}/application/o/authorize/?"), found
    return dict(parse_qsl(urlsplit(found).query, strict_parsing=True))


def set_cookies(answer: HttpAnswer) -> list[str]:
    return [value.decode() for name, value in answer.headers if name.lower() == b"set-cookie"]


def identity(answer: HttpAnswer) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in answer.headers if name.startswith(b"X-authentik-")}


def link_of(answer: HttpAnswer) -> str:
    """Path and query of the one link on a page."""
    found = re.search(r'<a class="go" href="([^"]+)">', answer.body.decode())
    assert found is not None, answer.body
    parts = urlsplit(unescape(found[1]))
    return parts.path + (f"?{parts.query}" if parts.query else "")


def is_page(answer: HttpAnswer, status: int, words: str) -> bool:
    """Whether this is one of our pages, with ``words`` on it and everything that makes it safe."""
    assert answer.status == status, (answer.status, answer.body.decode())
    assert words in answer.body.decode(), answer.body.decode()
    assert header(answer, "Content-Type") == "text/html; charset=utf-8"
    assert header(answer, "Cache-Control") == "no-store"
    assert header(answer, "X-Content-Type-Options") == "nosniff"
    assert "default-src 'none'" in (header(answer, "Content-Security-Policy") or "")
    assert b"<script" not in answer.body
    return True
