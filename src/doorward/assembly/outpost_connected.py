"""An outpost that a Doorward identity provider elsewhere tells what to protect, and that keeps its sessions there.

It asks for news every second (``identityProvider.poll``): what has changed, and which sessions have ended since the
last answer. So a change is in force here within that second and the time of one question, on as many machines as there
are; a missed answer loses nothing, because the next question names the same place in the change log. No WebSocket and
no long poll: both would hold one of the identity provider's few threads for every outpost.

    answers come        all is known, nothing older than a second
    for AWAY seconds    nobody new can log in (503, and why); who is logged in goes on
    none come
    for PushWatch's     remembered sessions are asked for again; where that fails, one that the identity provider has
    minute              confirmed is good until ``identityProvider.absence`` is over
    403                 there is no such outpost (any more): nobody passes
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import platform
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

import msgspec

from doorward import __version__
from doorward.assembly.identity_doors import RpcSessionStore
from doorward.assembly.last_uses import LastUses
from doorward.assembly.outpost_identity import RemoteIssuerChannel, RemoteQuestions, TokenRefused
from doorward.assembly.push_watch import PushWatch
from doorward.messages.decisions import Decided, Decision
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.messages.sessions import PROGRAMS_IN_DOUBT, FetchState, IdentityState, Presence
from doorward.messages.standalone import ConnectedApplications
from doorward.net.client import Client
from doorward.outpost import pages
from doorward.outpost.answer import Outpost
from doorward.outpost.paths import PREFIX
from doorward.outpost.ports import StoreUnavailable
from doorward.outpost.standalone.surviving_store import SurvivingStore
from doorward.outpost.yes import Answer

log = logging.getLogger(__name__)

AWAY = 3.0
"""Seconds without an answer after which nobody is sent to log in any more."""
FORGET_EVERY = 5.0
"""Seconds between two times that everything remembered is asked for again, while no news comes."""
MOST_RECORDS = 500
"""Records that wait to be sent; the oldest make room."""
RECORDS_AT_ONCE = 100
LAST_WORD = 2.0
"""Seconds in which the identity provider must take what an outpost that stops has to say."""
_PING = f"{PREFIX}/ping".encode()


class ConnectedOutpost:
    """See the module."""

    def __init__(
        self,
        plan: ConnectedApplications,
        trusted: tuple[str, ...],
        client: Client,
        now: Callable[[], float],
        cut: Callable[[Iterable[bytes], bool], None],
        changed: Callable[[OutpostConfiguration], None],
        decided: Callable[[Decision], None],
    ) -> None:
        """``cut`` ends what is open on these sessions (or on all); ``changed`` hears of every configuration, and
        ``decided`` of whatever does not pass."""
        self._plan = plan
        self._now = now
        self._cut = cut
        self._changed = changed
        self._questions = RemoteQuestions(client, plan.identity, plan.token)
        self._presence = Presence(secrets.token_hex(16), __version__, platform.node())
        self._known: OutpostConfiguration | None = None
        self._position = -1
        self._heard = 0.0
        self._is_away = False
        self._is_refused = False
        self._trouble = ""
        self._looking = asyncio.Lock()
        self._watch = PushWatch(time.monotonic())
        self._forgot = 0.0
        kept = RpcSessionStore(self._questions, self._look_now)
        self._store = SurvivingStore(kept, plan.absence, lambda: self._heard, now)
        self._channel = RemoteIssuerChannel(client, plan.identity)
        self._moves = 0
        """How often the way or the token has changed, and at the last answer."""
        self._moves_heard = 0
        self._decided = decided
        self._unsent: deque[Decision] = deque(maxlen=MOST_RECORDS)
        self._outpost = Outpost(self._store, self._channel, now, trusted, self._record)
        self._last_uses = LastUses(self._outpost.used_since, self._questions, now)
        self.answering = Gate(self._outpost, self._why_shut)

    def use(self, plan: ConnectedApplications) -> None:
        """The configuration was read again. Sessions live on, if it is the same identity provider that answers: over
        another way, to another token."""
        moved = plan != msgspec.structs.replace(self._plan, poll=plan.poll, absence=plan.absence)
        self._plan = plan
        self._store.absence = plan.absence
        if moved:
            self._moves += 1
            self._questions.use(plan.identity, plan.token)
            self._channel.reach = plan.identity

    @property
    def ready(self) -> bool:
        """It knows what to protect."""
        return not self._why_shut()

    def _why_shut(self) -> str:
        """Why no question can be answered now; empty when they can."""
        if self._is_refused:
            return "the identity provider does not take this outpost's token"
        return "" if self._known is not None else "this outpost has not reached its identity provider yet"

    async def run(self) -> None:
        """Ask for news, and say which sessions were used, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._last_uses.run())
            tasks.create_task(self._look_for_ever())

    async def _look_for_ever(self) -> None:
        while True:
            await self._look()
            await self._send_records()
            await asyncio.sleep(self._plan.poll)

    def _record(self, decision: Decision) -> None:
        self._decided(decision)
        self._unsent.append(decision)

    async def _send_records(self) -> None:
        """Why somebody did not pass here, for whoever asks at the identity provider; while that is away it waits."""
        while self._unsent and not self._trouble:
            sent = list(islice(self._unsent, RECORDS_AT_ONCE))
            try:
                await self._questions("decided", Decided(tuple(sent)))
            except StoreUnavailable as error:
                log.debug("records could not be sent: %s", error)
                return
            for decision in sent:
                if self._unsent and self._unsent[0] is decision:  # a flood may have pushed it out meanwhile
                    self._unsent.popleft()

    async def close(self) -> None:
        """Say what was used since it was last said, if somebody is there to hear it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD):
                await self._last_uses.tell()

    async def _look_now(self) -> None:
        """Somebody signs out here: the answer waits until this outpost has heard of it itself."""
        await self._look()

    async def _look(self) -> None:
        async with self._looking:
            moves = self._moves
            try:
                state = await self._state(self._position)
                if moves != self._moves_heard and self._position >= 0:
                    # Another token may be another outpost's: all that is protected, and what has ended meanwhile.
                    whole = await self._state(-1)
                    state = msgspec.structs.replace(state, configuration=whole.configuration)
            except TokenRefused as refused:
                if moves != self._moves:
                    return  # it was the former one
                self._say(f"{refused}: nobody passes until it does")
                self._is_refused = True
                self._use(OutpostConfiguration())
                self._forget((), everything=True)
                self._position = -1
                return
            except (StoreUnavailable, msgspec.MsgspecError) as error:
                self._unheard(str(error))
                return
            if moves == self._moves:
                self._hear(state)
                self._moves_heard = moves

    async def _state(self, since: int) -> IdentityState:
        """Raises StoreUnavailable, msgspec.MsgspecError."""
        answer = await self._questions.look("state", FetchState(since, self._presence))
        return msgspec.msgpack.decode(answer.body, type=IdentityState)

    def _hear(self, state: IdentityState) -> None:
        self._heard = self._now()
        self._is_refused = False
        self._watch.heard(time.monotonic())
        if self._trouble or self._known is None:
            log.info("connected to the identity provider at %s", self._plan.identity.url)
            self._trouble = ""
        if self._position >= 0 and (state.ended_sessions or state.all_ended):
            self._forget(state.ended_sessions, everything=state.all_ended)
        self._position = state.position
        configuration = self._known
        if state.configuration:
            configuration = msgspec.msgpack.decode(state.configuration, type=OutpostConfiguration)
            moved, known = self._moves != self._moves_heard, self._known
            if moved and known is not None and _is_anothers(configuration, known):
                self._forget((), everything=True)
        if configuration is not None and (configuration is not self._known or self._is_away):
            self._is_away = False
            self._known = configuration
            self._use(configuration)
            if state.configuration:
                self._cut((PROGRAMS_IN_DOUBT,), False)

    def _unheard(self, why: str) -> None:
        self._say(why)
        silence = self._now() - self._heard
        if self._known is not None and not self._is_away and silence > AWAY:
            self._is_away = True
            self._use(msgspec.structs.replace(self._known, providers=tuple(map(_closed, self._known.providers))))
        if self._watch.is_silent(time.monotonic()) and time.monotonic() - self._forgot > FORGET_EVERY:
            self._forgot = time.monotonic()
            self._outpost.sessions_ended((), everything=True)  # forgotten, not ended: each is asked for again

    def _use(self, configuration: OutpostConfiguration) -> None:
        self._outpost.use(configuration)
        self._changed(configuration)

    def _forget(self, id_hashes: Iterable[bytes], *, everything: bool) -> None:
        self._store.forget(id_hashes, everything=everything)
        self._outpost.sessions_ended(id_hashes, everything=everything)
        self._cut(id_hashes, everything)

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            log.error("the identity provider at %s: %s", self._plan.identity.url, trouble)


def _is_anothers(configuration: OutpostConfiguration, before: OutpostConfiguration) -> bool:
    """What protects the applications under the same keys is not the same: the sessions were somebody else's."""
    known = {provider.pk: (provider.client_id, provider.cookie_secret) for provider in before.providers}
    now = {provider.pk: (provider.client_id, provider.cookie_secret) for provider in configuration.providers}
    return any(now.get(pk, owner) != owner for pk, owner in known.items()) or not known.keys() & now.keys()


def _closed(provider: ProxyProvider) -> ProxyProvider:
    """Nobody is sent to log in: there would be nobody to answer."""
    return msgspec.structs.replace(provider, authorization_endpoint="")


class Gate:
    """The outpost, while it knows what it protects. Otherwise every question is answered 503."""

    def __init__(self, outpost: Outpost, why_shut: Callable[[], str]) -> None:
        self._outpost = outpost
        self._why_shut = why_shut

    def answer(self, question: HttpQuestion) -> Answer:
        """As ``Outpost.answer``."""
        why = self._why_shut()
        if not why or question.target.partition(b"?")[0] == _PING:
            return self._outpost.answer(question)
        return pages.text(503, why, (b"Retry-After", b"5"))

    def still_passes(self, answer: HttpAnswer, path: bytes, query: bytes | None) -> bool:
        """As ``Outpost.still_passes``."""
        return not self._why_shut() and self._outpost.still_passes(answer, path, query)
