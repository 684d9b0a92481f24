"""The applications of an outpost's own configuration: its stores, its issuers, and the configuration that both make
together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from doorward import __version__
from doorward.assembly.last_uses import LastUses
from doorward.assembly.outpost_channel import ForeignChannel
from doorward.messages.decisions import Decision
from doorward.messages.http import HttpAnswer
from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.messages.sessions import PROGRAMS_IN_DOUBT, SessionsSeen
from doorward.messages.standalone import ForeignApplications, Reach
from doorward.net.client import Client
from doorward.outpost.answer import Outpost
from doorward.outpost.application import Application
from doorward.outpost.foreign_login import ForeignLogins
from doorward.outpost.standalone.answering import StandaloneOutpost
from doorward.outpost.standalone.back_channel_logout import BackChannelLogout
from doorward.outpost.standalone.file_store import FileStore
from doorward.outpost.standalone.issuers import Issuer
from doorward.outpost.standalone.last_use import LastUse
from doorward.outpost.standalone.ledger import Ledger
from doorward.outpost.standalone.places import Places
from doorward.outpost.standalone.sealed_store import SealedStore
from doorward.outpost.standalone.sealing import Keys

CutSessions = Callable[[Iterable[bytes]], None]
"""Ends what is open on these sessions."""


class ForeignOutpost:
    """See the module. Raises sqlite3.Error when the state folder cannot be used."""

    def __init__(
        self,
        plan: ForeignApplications,
        trusted: tuple[str, ...],
        state: Path | None,
        client: Client,
        now: Callable[[], float],
        cut: CutSessions,
        decided: Callable[[Decision], None],
    ) -> None:
        self._plan = plan
        self._now = now
        self._cut = cut
        self._channel = ForeignChannel(client, plan.issuers, self._unreached)
        self._ledger = Ledger(state / "sessions.sqlite3" if state is not None else None)
        self._issuers = {reach.url: self._issuer(reach) for reach in plan.issuers}
        places = Places(lambda: self._outpost.applications())
        self._keys = Keys(plan.secrets)
        self._uses = LastUse(self._ledger, places, now, lambda id_hash: self._outpost.last_passed(id_hash))
        parts = (self._ledger, self._keys, places, self._uses, plan.longest, now, self._ended)
        self._sealed = None if plan.in_file else SealedStore(*parts)
        self._store = self._sealed or FileStore(*parts)
        self._places = places
        self._outpost = Outpost(self._store, self._channel, now, trusted, decided, newer_keys=self._newer_keys)
        self._last_uses = LastUses(self._outpost.used_since, self._keep_uses, now)
        logins = ForeignLogins(self._channel, now, self._newer_keys)
        logout = BackChannelLogout(self._outpost.applications, logins, self._store, self._ledger, now)
        self.answering = StandaloneOutpost(self._outpost, self._sealed, logout, now)
        self._following: dict[str, asyncio.Task[None]] = {}
        self._tasks = asyncio.TaskGroup()
        self._changed()

    def _issuer(self, reach: Reach) -> Issuer:
        return Issuer(reach.url, self._channel, self._now, self._changed, shelf=self._ledger, keys_only=reach.keys_only)

    def _unreached(self) -> None:
        """Some server did not answer. Whether it is an issuer is soon known: then nobody is sent to log in there."""
        for issuer in self._issuers.values():
            issuer.doubt()

    async def run(self) -> None:
        """Follow the issuers, and write down which sessions were used, for ever."""
        async with self._tasks:
            self._follow()
            await self._last_uses.run()

    def _follow(self) -> None:
        for url in self._following.keys() - self._issuers.keys():
            self._following.pop(url).cancel()
        for url in self._issuers.keys() - self._following.keys():
            self._following[url] = self._tasks.create_task(self._issuers[url].follow())

    @property
    def ready(self) -> bool:
        """Every issuer at which people log in has been asked, and is known: from its answer, or from before the
        start."""
        issuers = [self._issuers[provider.issuer] for provider in self._plan.providers]
        return all(issuer.asked and issuer.published is not None for issuer in issuers)

    def use(self, plan: ForeignApplications) -> None:
        """Another configuration is in force. Sessions go on, except where it changes who may enter, or as whom."""
        before = self._all_places()
        former, self._plan = self._plan, plan
        self._channel.use(plan.issuers)
        self._keys.use(plan.secrets)
        self._store.longest = plan.longest
        unchanged = {reach.url for reach in plan.issuers if reach in former.issuers}
        for url in self._issuers.keys() - unchanged:
            del self._issuers[url]
            if url in self._following:
                self._following.pop(url).cancel()
        for reach in plan.issuers:
            if reach.url not in self._issuers:
                self._issuers[reach.url] = self._issuer(reach)
        self._changed()
        self._cut((PROGRAMS_IN_DOUBT,))
        self._follow()
        after = self._all_places()
        for provider, place in before.items():
            if after.get(provider) != place:
                if self._sealed is not None:
                    self._sealed.rules_changed(provider)
                self._ended(provider, "", "", [])

    def _all_places(self) -> dict[int, bytes]:
        found = ((each.provider.pk, self._places.of(each.provider.pk)) for each in self._outpost.applications())
        return {provider: place[1] for provider, place in found if place is not None}

    async def close(self) -> None:
        await self._last_uses.tell()
        self._ledger.close()

    async def _keep_uses(self, name: str, seen: SessionsSeen) -> HttpAnswer:
        self._uses.keep(seen.seen)
        return HttpAnswer(204)

    def _changed(self) -> None:
        """Something new is known of an issuer."""
        providers = tuple(self._with_issuer(provider) for provider in self._plan.providers)
        self._outpost.use(OutpostConfiguration(providers=providers, version=__version__))
        self._places.forget()

    def _with_issuer(self, provider: ProxyProvider) -> ProxyProvider:
        issuer = self._issuers[provider.issuer]
        trusted = (msgspec.structs.replace(each, keys=self._issuers[each.issuer].keys) for each in provider.trusted)
        provider = msgspec.structs.replace(provider, trusted=tuple(trusted))
        published, foreign = issuer.published, provider.foreign
        if published is None or foreign is None:
            return provider
        return msgspec.structs.replace(
            provider,
            # Nobody is sent to log in where nobody answers: a page says so instead.
            authorization_endpoint=published.authorization_endpoint if issuer.answers else "",
            token_endpoint=published.token_endpoint,
            end_session_endpoint=published.end_session_endpoint,
            introspection_endpoint=published.introspection_endpoint,
            jwks_uri=published.jwks_uri,
            keys=issuer.keys,
            foreign=msgspec.structs.replace(
                foreign,
                userinfo_endpoint=published.userinfo_endpoint,
                client_authentication=_authentication(
                    foreign.client_authentication, published.token_endpoint_auth_methods_supported
                ),
                answers_with_issuer=published.authorization_response_iss_parameter_supported,
            ),
        )

    async def _newer_keys(self, application: Application, issuer: str) -> Application | None:
        known = self._issuers.get(issuer)
        fetched = known is not None and await known.look_for_new_keys()
        pk = application.provider.pk
        current = next((each for each in self._outpost.applications() if each.provider.pk == pk), None)
        # Whoever asks may hold an application from before keys that came a moment ago.
        return current if fetched or current is not application else None

    def _ended(self, provider: int, subject: str, sid: str, ids: list[bytes]) -> None:
        over = {*ids, *self._outpost.sessions_of(provider, subject, sid)}
        self._outpost.sessions_ended(over)
        self._cut(over)


def _authentication(wanted: str, supported: tuple[str, ...]) -> str:
    """How to show the secret: as the configuration says, or in the way that both sides know."""
    if wanted != "auto":
        return wanted
    return "basic" if "client_secret_basic" in supported or "client_secret_post" not in supported else "post"
