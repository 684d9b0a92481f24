"""A worker tries its own chain for an administrator who wants to see what an application receives.

A trial may come as somebody: then that person's session lives in this worker's memory for the one request, under an
id that nobody else is ever told, and is forgotten with the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from doorward.messages.decisions import ChainTried, Trial, TrialOutcome, TryChain
from doorward.messages.entry_points import EntryPoint
from doorward.messages.http import Header
from doorward.outpost.answer import Outpost
from doorward.proxy.chain_trial import Tried, try_request
from doorward.proxy.routing import Routes

_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


class Trials:
    def __init__(
        self, outpost: Outpost, entry_points: Sequence[EntryPoint], routes: Callable[[], Routes | None]
    ) -> None:
        self._outpost = outpost
        self._entry_points = entry_points
        self._routes = routes

    async def make(self, asked: TryChain) -> ChainTried:
        """One after another."""
        try:
            return ChainTried(asked.ticket, tuple([await self._make(trial) for trial in asked.trials]))
        except (ValueError, LookupError) as error:
            return ChainTried(asked.ticket, problem=str(error))

    async def _make(self, trial: Trial) -> TrialOutcome:
        routes = self._routes()
        if routes is None:
            raise LookupError("this worker has no routes yet")
        if trial.session is None:
            return _outcome(await try_request(routes, self._entry_points, _head(trial, ""), tls=trial.tls), ())
        with self._outpost.lending(trial.session) as lent:
            tried = await try_request(routes, self._entry_points, _head(trial, lent.cookie), tls=trial.tls)
            return _outcome(tried, lent.headers)


def _head(trial: Trial, cookie: str) -> bytes:
    """The request as a browser would send it."""
    fields = [
        ("Host", trial.host),
        ("User-Agent", "doorward"),
        ("Accept", "text/html,*/*;q=0.8"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
        *trial.headers,
    ]
    if cookie:
        fields.append(("Cookie", f"{cookie}; of_the_application=kept"))
    lines = [f"GET {trial.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    if any(_UNSAFE.search(line) for line in lines) or " " in trial.path:
        raise ValueError("a name, value or path of the trial holds a character that cannot be sent")
    return "\r\n".join([*lines, "", ""]).encode("utf-8")


def _outcome(tried: Tried, given: Sequence[Header]) -> TrialOutcome:
    location = next((value for name, value in tried.answer if name.lower() == b"location"), b"")
    return TrialOutcome(
        reached=tried.reached,
        status=tried.status,
        location=_text(location.partition(b"?")[0]),
        router=tried.router,
        service=tried.service,
        method="GET",
        target=_text(tried.target),
        headers=_texts(tried.received),
        given=_texts(given),
        entry_point=tried.entry_point,
    )


def _texts(headers: Sequence[Header]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(value)) for name, value in headers)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
