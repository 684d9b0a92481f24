"""The way from an outpost on its own to the servers that it asks: issuers anywhere, or a Doorward elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.standalone import Reach
from doorward.net.client import Client, TooLarge, Unreachable
from doorward.net.origin import DEFAULT_PORTS, Origin
from doorward.outpost.ports import IdentityUnreachable

PATIENCE = 10.0
"""Seconds for one question."""
_FOR_OUR_OWN = frozenset({b"x-forwarded-for"})
"""Whom a question is about is nobody's business but our own identity provider's."""


class ForeignChannel:
    """``IdentityChannel`` to issuers somewhere, each reached as the configuration says."""

    def __init__(
        self, client: Client, reaches: tuple[Reach, ...], unreached: Callable[[], None] = lambda: None
    ) -> None:
        """``unreached`` hears of every server that did not answer."""
        self._client = client
        self._unreached = unreached
        self.use(reaches)

    def use(self, reaches: tuple[Reach, ...]) -> None:
        """From now on these are the issuers."""
        self._reaches = {_authority(reach.url): reach for reach in reaches}
        mains = [reach for reach in reaches if not reach.keys_only]
        self._any = mains[0] if len(mains) == 1 else Reach("")

    async def fetch(self, question: HttpQuestion, url: str) -> HttpAnswer:
        """An endpoint may be on another host than its issuer: then it is reached by its own name, and believed by the
        same authorities if people log in at one issuer, else by the system's."""
        reach = self._reaches.get(_authority(url))
        if reach is None:
            reach = Reach("", "", self._any.ca_pem, self._any.insecure_skip_verify)
        headers = tuple(header for header in question.headers if header[0].lower() not in _FOR_OUR_OWN)
        inner = HttpQuestion(question.method, question.target, headers, question.body)
        try:
            return await self._client.fetch(inner, origin_of(reach, url), timeout=PATIENCE, max_body=1 << 20)
        except (Unreachable, TooLarge, ValueError) as error:
            self._unreached()
            raise IdentityUnreachable(f"{_authority(url)} did not answer: {error}") from error


def origin_of(reach: Reach, url: str) -> Origin:
    """Where to connect for ``url``. Raises ValueError."""
    parts = urlsplit(url)
    tls = reach.tls(parts.hostname or "") if parts.scheme == "https" else None
    if reach.connect:
        host, _, port = reach.connect.rpartition(":")
        return Origin(parts.scheme, host.strip("[]"), int(port), tls=tls)
    return Origin.parse(url, tls)


def _authority(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or DEFAULT_PORTS.get(parts.scheme, 0)}"
