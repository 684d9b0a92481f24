"""One examination: the way to the front, the way of a stranger, and, with a password, that of a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from doorward.doctor.browser import Browser
from doorward.doctor.findings import FAULT, Finding
from doorward.doctor.front import fault, way_to
from doorward.doctor.person import Person
from doorward.doctor.places import Places
from doorward.doctor.stranger import PAST_TLS, Stranger


@dataclass(frozen=True, slots=True)
class Examination:
    url: str
    name: str = ""
    password: str = field(default="", repr=False)
    ca_pem: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    """Addresses of hosts that are not to be looked up."""
    refuse: Callable[[str], bool] = lambda address: False
    """Addresses that are not asked."""

    async def findings(self) -> AsyncIterator[Finding]:
        """As they are made."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            yield fault("bad_url", f"{self.url} is no address that a browser opens.")
            return
        places, trusting, stopped = Places(self.said, self.refuse), False, False
        async for finding in way_to(self.url, places, self.ca_pem):
            yield finding
            trusting = trusting or finding.code in PAST_TLS
            stopped = stopped or (finding.verdict == FAULT and finding.code not in PAST_TLS)
        if stopped:
            return
        stranger = Stranger(self.url, places, self.ca_pem, trusting=trusting)
        async for finding in stranger.walk():
            yield finding
        if self.name and stranger.login is not None and stranger.returns:
            browser = Browser(places, self.ca_pem, trusting=stranger.trusting)
            async for finding in Person(stranger.url, browser, self.name, self.password).walk():
                yield finding
