"""One browser: opens addresses, keeps cookies, follows nothing unless told to."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from html import unescape
from time import time
from urllib.parse import urljoin, urlsplit

from doorward.doctor.cookies import Cookies, Dropped
from doorward.doctor.places import Places
from doorward.messages.http import HttpAnswer, HttpQuestion
from doorward.messages.routing import ClientTls
from doorward.net.client import Client, Origin, TooLarge

PATIENCE = 15.0
LARGEST = 2 << 20
NAVIGATION = (
    ("User-Agent", "Mozilla/5.0 (doorward doctor)"),
    ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Site", "none"),
)
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as the browser has it."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    dropped: tuple[Dropped, ...] = ()
    """Cookies that the browser does not keep."""
    set_cookies: tuple[str, ...] = ()
    at: float = field(default_factory=time)

    def first(self, name: str) -> str:
        return next((value for field_name, value in self.headers if field_name.lower() == name.lower()), "")

    @property
    def location(self) -> str:
        """Where it leads; empty for an answer that is no redirect."""
        target = self.first("location") if 300 <= self.status < 400 else ""
        return urljoin(self.url, target) if target else ""

    @property
    def title(self) -> str:
        found = _TITLE.search(self.body)
        return unescape(" ".join(found[1].split())) if found else ""

    @property
    def skew(self) -> float | None:
        """Seconds by which the server's clock is ahead of this machine's, as far as ``Date`` tells."""
        try:
            return parsedate_to_datetime(self.first("date")).timestamp() - self.at
        except (TypeError, ValueError):
            return None


class Browser:
    def __init__(
        self,
        places: Places,
        ca_pem: str = "",
        *,
        trusting: bool = False,
        patience: float = PATIENCE,
        largest: int = LARGEST,
    ) -> None:
        """``ca_pem``: an authority to believe beside the system's; ``trusting``: any certificate will do. ``patience``:
        seconds for one answer, of which ``largest`` bytes are read at most."""
        self._patience, self._largest = patience, largest
        self.cookies = Cookies()
        self._places = places
        self._client = Client(with_dates=True)
        if ca_pem:
            ca_pem = f"{ca_pem}\n{system_authorities()}"
        self._tls = ClientTls(ca_pem=ca_pem, insecure_skip_verify=trusting)

    async def open(self, url: str, *more: tuple[str, str], form: bytes | None = None) -> Seen:
        """One request. Raises NoAddress, Unreachable."""
        parts = urlsplit(url)
        origin = Origin.parse(url, self._tls)
        origin = Origin(
            origin.scheme, origin.host, origin.port, tls=origin.tls, address=await self._places.address(origin.host)
        )
        named = {name.lower() for name, _ in more}
        fields = [*((name, value) for name, value in NAVIGATION if name.lower() not in named), *more]
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies.of(url))
        if cookies:
            fields.append(("Cookie", cookies))
        if form is not None:
            fields += [
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("Origin", f"{parts.scheme}://{parts.netloc}"),
            ]
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        question = HttpQuestion(
            b"GET" if form is None else b"POST",
            target.encode("ascii", "replace"),
            tuple((name.encode("ascii"), value.encode("utf-8")) for name, value in fields),
            form or b"",
        )
        try:
            answer = await self._client.fetch(question, origin, timeout=self._patience, max_body=self._largest)
        except TooLarge as large:
            answer = HttpAnswer(large.status)
        return self._seen(url, answer)

    async def close(self) -> None:
        await self._client.cut()

    def _seen(self, url: str, answer: HttpAnswer) -> Seen:
        headers = tuple((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in answer.headers)
        lines = tuple(value for name, value in headers if name.lower() == "set-cookie")
        dropped = tuple(found for line in lines if (found := self.cookies.take(url, line)) is not None)
        return Seen(url, answer.status, headers, answer.body.decode("utf-8", "replace"), dropped, lines)


def system_authorities() -> str:
    """Those that this machine believes anyway, in PEM form."""
    context = ssl.create_default_context()
    return "\n".join(ssl.DER_cert_to_PEM_cert(der) for der in context.get_ca_certs(binary_form=True))
