"""All scenarios, in the order in which they run."""

from __future__ import annotations

from figures import Scenario
from scenarios import bodies, clicks, connections, http2, latency, logins, messages, requests, sessions, start, tokens

_KINDS = (requests, http2, bodies, messages, connections, latency, sessions, logins, clicks, tokens, start)
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for kind in _KINDS for scenario in kind.SCENARIOS}
