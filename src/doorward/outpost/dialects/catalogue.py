"""Which proxy asks at which of our paths."""

from __future__ import annotations

from doorward.outpost.dialects.caddy import CADDY
from doorward.outpost.dialects.dialect import Dialect
from doorward.outpost.dialects.envoy import BELOW as BELOW_ENVOY
from doorward.outpost.dialects.envoy import ENVOY
from doorward.outpost.dialects.nginx import NGINX
from doorward.outpost.dialects.traefik import TRAEFIK
from doorward.outpost.paths import PREFIX

_DIALECTS = {f"{PREFIX}/auth/{each.name.lower()}".encode(): each for each in (TRAEFIK, CADDY, NGINX, ENVOY)}


def dialect_at(endpoint: bytes) -> Dialect | None:
    """Whoever asks at ``endpoint`` (a target without its query); None: no proxy does."""
    return _DIALECTS.get(endpoint) or (ENVOY if endpoint.startswith(BELOW_ENVOY) else None)
