"""What is known of an issuer now: asked for when the outpost starts, again and again until it answers, and from then
on so often that a new key or a moved endpoint is noticed.

Nothing that was learned is forgotten because the issuer is away, not even at a restart where the outpost has a place
to keep it: sessions go on, and are renewed and ended as ever. Only nobody is sent to log in there while it does not
answer. A key that we do not know may be a new one: it makes
us look at once, but not more often than every half minute (an unknown ``kid`` is free to make, S-334).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from doorward.messages.http import HttpQuestion
from doorward.messages.outposts import VerificationKey
from doorward.outpost.ports import IdentityChannel, IdentityUnreachable, StoreUnavailable
from doorward.outpost.standalone import discovery
from doorward.outpost.standalone.discovery import MAX_DOCUMENT, NotAnIssuer, Published

log = logging.getLogger(__name__)

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts at an issuer that does not answer; the last one again and again."""
KEYS_EVERY = 600.0
"""Seconds between two looks at the keys."""
DOCUMENT_EVERY = 6
"""Looks at the keys between two at the document."""
SOONEST = 30.0
"""Seconds between two looks at the keys because of an unknown one."""


class Shelf(Protocol):
    """Where documents are kept until the next start."""

    def keep_issuer(self, url: str, document: bytes, keys: bytes, now: float) -> None: ...

    def kept_issuer(self, url: str, now: float) -> tuple[bytes, bytes] | None: ...


class Issuer:
    """One issuer, asked through ``channel``. ``changed`` is called whenever something else is known than before."""

    def __init__(
        self,
        url: str,
        channel: IdentityChannel,
        now: Callable[[], float],
        changed: Callable[[], None],
        shelf: Shelf | None = None,
        *,
        keys_only: bool = False,
    ) -> None:
        """Begins with what is on the ``shelf``. ``keys_only``: see ``discovery.read``."""
        self._keys_only = keys_only
        self.url = url
        self.answers = False
        """Whether it did when it was last asked."""
        self.asked = False
        self.published: Published | None = None
        self.keys: tuple[VerificationKey, ...] = ()
        self.trouble = "it has not been asked yet"
        """Why nothing new is known of it; empty when the last attempt went well."""
        self._channel = channel
        self._now = now
        self._changed = changed
        self._doubted = asyncio.Event()
        self._looked = 0.0
        self._looking: asyncio.Task[bool] | None = None
        self._shelf = shelf
        self._document = b""
        self._remember()

    def _remember(self) -> None:
        try:
            kept = self._shelf.kept_issuer(self.url, self._now()) if self._shelf is not None else None
            if kept is None:
                return
            published = discovery.read(kept[0], self.url, keys_only=self._keys_only)
            self.keys = discovery.read_keys(kept[1], published.id_token_signing_alg_values_supported)
        except (NotAnIssuer, StoreUnavailable):
            return  # an older version took what this one does not
        self._document, self.published = kept[0], published

    async def follow(self) -> None:
        """For ever."""
        failures = looks = 0
        while True:
            if await self.learn(document=looks % DOCUMENT_EVERY == 0):
                failures, looks = 0, looks + 1
                await self._rest(KEYS_EVERY)
            else:
                looks = 0
                await self._rest(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1

    async def _rest(self, seconds: float) -> None:
        self._doubted.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._doubted.wait()

    def doubt(self) -> None:
        """Somebody did not reach it: it is asked now, and not in its turn."""
        if self.answers:
            self._doubted.set()

    async def learn(self, *, document: bool = True) -> bool:
        """Ask once. False when it did not answer as it must; what was known before then stays."""
        try:
            published, text = self.published, self._document
            if document or published is None:
                text = await self._get(discovery.url_of(self.url))
                published = discovery.read(text, self.url, keys_only=self._keys_only)
            keys = await self._get(published.jwks_uri)
            known = discovery.read_keys(keys, published.id_token_signing_alg_values_supported)
        except (NotAnIssuer, IdentityUnreachable) as error:
            if str(error) != self.trouble:
                log.error("the issuer %s cannot be used: %s", self.url, error)
            self.trouble = str(error)
            self._heard(answers=self.answers and not document)
            return False
        if self.trouble:
            log.info("the issuer %s answers; it has %d keys", self.url, len(known))
        self.trouble = ""
        self._looked = self._now()
        self._document = text
        self._keep(keys)
        changed = (published, known) != (self.published, self.keys)
        self.published, self.keys = published, known
        self._heard(answers=True, changed=changed)
        return True

    def _heard(self, *, answers: bool, changed: bool = False) -> None:
        """It was asked just now."""
        changed = changed or answers is not self.answers
        self.asked, self.answers = True, answers
        if changed:
            self._changed()

    def _keep(self, keys: bytes) -> None:
        if self._shelf is not None:
            try:
                self._shelf.keep_issuer(self.url, self._document, keys, self._now())
            except StoreUnavailable as error:
                log.warning("what the issuer %s publishes could not be kept: %s", self.url, error)

    async def look_for_new_keys(self) -> bool:
        """Whether the keys were fetched just now, because a token names one that we do not know."""
        if self._looking is None or self._looking.done():
            if self._now() - self._looked < SOONEST:
                return False
            self._looked = self._now()
            self._looking = asyncio.ensure_future(self.learn(document=False))
        return await asyncio.shield(self._looking)

    async def _get(self, url: str) -> bytes:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = ((b"Host", parts.netloc.encode()), (b"Accept", b"application/json"))
        answer = await self._channel.fetch(HttpQuestion(b"GET", target.encode(), headers), url)
        if answer.status != 200 or len(answer.body) > MAX_DOCUMENT:
            raise IdentityUnreachable(f"{url} answered {answer.status} with {len(answer.body)} bytes")
        return answer.body
