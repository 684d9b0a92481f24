"""An outpost on its own in one process: its stores, a foreign issuer without a socket, a clock that only moves when
told, and a browser that keeps cookies."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.outposts import Admission, ForeignIssuer, OutpostConfiguration, ProxyProvider
from doorward.outpost.answer import Outpost
from doorward.outpost.application import Application
from doorward.outpost.foreign_login import ForeignLogins
from doorward.outpost.ports import IdentityUnreachable
from doorward.outpost.standalone.answering import StandaloneOutpost
from doorward.outpost.standalone.back_channel_logout import PATH as LOGOUT
from doorward.outpost.standalone.back_channel_logout import BackChannelLogout
from doorward.outpost.standalone.file_store import FileStore
from doorward.outpost.standalone.issuers import Issuer
from doorward.outpost.standalone.last_use import LastUse
from doorward.outpost.standalone.ledger import Ledger
from doorward.outpost.standalone.places import Places
from doorward.outpost.standalone.sealed_store import SealedStore
from doorward.outpost.standalone.sealing import Keys
from outpost.world import NAVIGATION, PREFIX, Clock, location, set_cookies
from peers.openid_provider import CLIENT, SECRET, Provider

HOST = "wiki.example.test"
KEY, OLD_KEY = "k" * 40, "o" * 40
DAY = 86400.0


def application(**changes: Any) -> ProxyProvider:
    """Of ``HOST``, for everybody."""
    plain = ProxyProvider(
        pk=7,
        name="wiki",
        outpost="doorward",
        application_slug="wiki",
        application_name="Wiki",
        external_host=f"https://{HOST}",
        client_id=CLIENT,
        client_secret=SECRET,
        cookie_secret="c" * 40,
        issuer="",
        authorization_endpoint="",
        token_endpoint="",
        end_session_endpoint="",
        jwks_uri="",
        keys=(),
        scopes=("openid", "profile", "offline_access"),
        access_token_validity=DAY,
        refresh_token_validity=DAY,
        intercept_header_auth=False,
        foreign=ForeignIssuer(),
    )
    return msgspec.structs.replace(plain, **changes)


class Alone:
    """See the module. ``file`` keeps sessions on the server."""

    def __init__(
        self,
        *,
        file: Path | None = None,
        in_file: bool = False,
        secrets: tuple[str, ...] = (KEY,),
        as_authentik: bool = False,
        provider: ProxyProvider | None = None,
        foreign: ForeignIssuer | None = None,
    ) -> None:
        self.clock = Clock()
        self.issuer = Provider("https://id.example.test", as_authentik=as_authentik, now=self.clock)
        self.provider = provider or application()
        if foreign is not None:
            self.provider = msgspec.structs.replace(self.provider, foreign=foreign)
        self.file = file
        self.in_file = in_file
        self.secrets = secrets
        self.look_at_others: Callable[[], bool] = lambda: False
        """Fetches the keys of issuers that are merely trusted; whether it did."""
        self.cut: set[bytes] = set()
        """Sessions on which everything open was cut."""
        self.start()

    def start(self) -> None:
        """The process begins: nothing is remembered but what is in the file."""
        ledger, keys = Ledger(self.file), Keys(self.secrets)
        self.known = Issuer(self.issuer.issuer, self, self.clock, self._use, shelf=ledger)
        places = Places(lambda: self.outpost.applications())
        self.places = places
        self.uses = LastUse(ledger, places, self.clock, lambda id_hash: self.outpost.last_passed(id_hash))
        parts = (ledger, keys, places, self.uses, DAY, self.clock, self._ended)
        sealed = None if self.in_file else SealedStore(*parts)
        store = sealed or FileStore(*parts)
        self.outpost = Outpost(store, self, self.clock, newer_keys=self._newer_keys)
        logins = ForeignLogins(self, self.clock, self._newer_keys)
        logout = BackChannelLogout(self.outpost.applications, logins, store, ledger, self.clock)
        self.answering = StandaloneOutpost(self.outpost, sealed, logout, self.clock)
        self.ledger = ledger
        self._use()

    def restart(self) -> None:
        self.ledger.close()
        self.start()

    async def learned(self) -> Alone:
        """The issuer has been asked."""
        assert await self.known.learn(), self.known.trouble
        return self

    def admit(self, admission: Admission) -> None:
        """Another rule about who may enter, as after a change of the configuration."""
        assert self.provider.foreign is not None
        foreign = msgspec.structs.replace(self.provider.foreign, admission=admission, rules=repr(admission))
        self.provider = msgspec.structs.replace(self.provider, foreign=foreign)
        self._use()

    async def fetch(self, question: HttpQuestion, url: str) -> HttpAnswer:
        """The channel to the issuer."""
        parts = urlsplit(url)
        if parts.netloc != "id.example.test":
            raise IdentityUnreachable(url)
        assert question.first(b"host") == b"id.example.test"
        fields = {name.decode().lower(): value.decode() for name, value in question.headers}
        reply = self.issuer.respond(question.method.decode(), question.target.decode(), fields, question.body)
        return HttpAnswer(reply.status, (), reply.body)

    async def ask(self, question: HttpQuestion) -> HttpAnswer:
        answer = self.answering.answer(question)
        if not isinstance(answer, HttpAnswer):
            assert inspect.isawaitable(answer)
            answer = await answer
        return answer

    async def log_out(self, token: str, *, target: str = LOGOUT, method: str = "POST") -> HttpAnswer:
        """The issuer's own request."""
        headers = ((b"Host", HOST.encode()), (b"Content-Type", b"application/x-www-form-urlencoded"))
        body = urlencode({"logout_token": token}).encode()
        return await self.ask(HttpQuestion(method.encode(), target.encode(), headers, body, peer="192.0.2.1"))

    def _use(self) -> None:
        published, provider, foreign = self.known.published, self.provider, self.provider.foreign
        assert foreign is not None
        provider = msgspec.structs.replace(provider, issuer=self.issuer.issuer)
        if published is not None:
            provider = msgspec.structs.replace(
                provider,
                authorization_endpoint=published.authorization_endpoint if self.known.answers else "",
                token_endpoint=published.token_endpoint,
                end_session_endpoint=published.end_session_endpoint,
                jwks_uri=published.jwks_uri,
                keys=self.known.keys,
                foreign=msgspec.structs.replace(
                    foreign,
                    userinfo_endpoint=published.userinfo_endpoint,
                    client_authentication="post" if self.issuer.as_authentik else "basic",
                ),
            )
        self.outpost.use(OutpostConfiguration(providers=(provider,), version="1"))
        self.places.forget()

    async def _newer_keys(self, application: Application, issuer: str) -> Application | None:
        current = next(iter(self.outpost.applications()))
        if issuer != self.issuer.issuer:
            fetched = current is application and self.look_at_others()
            if fetched:
                self._use()
        else:
            fetched = await self.known.look_for_new_keys()
        current = next(iter(self.outpost.applications()))
        return current if fetched or current is not application else None

    def _ended(self, provider: int, subject: str, sid: str, ids: Iterable[bytes]) -> None:
        over = {*ids, *self.outpost.sessions_of(provider, subject, sid)}
        self.outpost.sessions_ended(over)
        self.cut |= over

    def browser(self) -> Browser:
        return Browser(self)


@dataclass
class Browser:
    """Keeps the cookies of one host, or of the domain above it."""

    alone: Alone
    host: str = HOST
    login_host: str = HOST
    """Where the issuer sends it back to."""
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, uri: str, dialect: str = "traefik", *, host: str = "", **more: str) -> HttpAnswer:
        """Through the protected route."""
        fields = {
            **NAVIGATION,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": host or self.host,
            "X-Forwarded-Uri": uri,
            "X-Forwarded-Method": "GET",
            **more,
        }
        return await self._asked(f"{PREFIX}/auth/{dialect}", fields)

    async def direct(self, uri: str) -> HttpAnswer:
        """To the outpost itself."""
        return await self._asked(uri, {**NAVIGATION, "Host": self.host, "X-Forwarded-Proto": "https"})

    async def log_in(self, uri: str = "/") -> HttpAnswer:
        """From a first request to the redirect that follows the callback."""
        return await self.get(self.callback(await self.get(uri)), host=self.login_host)

    def callback(self, answer: HttpAnswer) -> str:
        """Log in where ``answer`` sends us; path and query of where the issuer sends us then."""
        query = urlsplit(location(answer)).query
        parts = urlsplit(self.alone.issuer.authorize(query).headers["Location"])
        assert parts.netloc == self.login_host
        return f"{parts.path}?{parts.query}"

    async def _asked(self, target: str, fields: dict[str, str]) -> HttpAnswer:
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = tuple((name.encode(), value.encode()) for name, value in fields.items())
        answer = await self.alone.ask(HttpQuestion(b"GET", target.encode(), headers, peer="127.0.0.1"))
        for line in set_cookies(answer):
            pair, *attributes = line.split("; ")
            name, _, value = pair.partition("=")
            assert {"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} <= set(attributes), line
            assert len(line) < 4096
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer
