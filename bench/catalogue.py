"""All scenarios, in the order in which they run."""

from __future__ import annotations

from figures import Scenario
from scenarios import http2, requests, start

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for room in (requests, http2, start) for scenario in room.SCENARIOS
}
