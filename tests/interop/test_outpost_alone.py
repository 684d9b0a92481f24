"""Real proxies before an outpost on its own, configured as the pages about them say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from doorward.assembly import local_ca
from peers.openid_provider import CLIENT, SECRET, Provider, serving
from peers.outpost_program import outpost
from peers.processes import free_port
from peers.program import Program
from peers.proxies import Front, caddy, envoy, haproxy, nginx, traefik
from security.visitor import Visitor

pytestmark = pytest.mark.interop

PROXIES: dict[str, Callable[[Program, Path, str], AbstractContextManager[Front]]] = {
    "traefik": traefik,
    "nginx": nginx,
    "caddy": caddy,
    "envoy": envoy,
    "haproxy": haproxy,
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Provider]:
    with serving(free_port()) as provider:
        yield provider


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_login_through_a_real_proxy(proxy: str, issuer: Provider, tmp_path: Path) -> None:
    """Ask, log in at somebody else's issuer, be known, sign out, be asked again; the sealed session passes through."""
    # The proxies' configurations name a program: here the outpost stands in its place.
    stands = Program(tmp_path / "program", identity_port=free_port())
    local_ca.ensure(stands.ca.parent)
    host = f"{proxy}-alone.localhost"
    with PROXIES[proxy](stands, tmp_path, host) as front:
        text = f"""\
listen: "127.0.0.1:{stands.identity_port}"
issuer:
  url: {issuer.issuer}
  clientId: {CLIENT}
  clientSecret: "{SECRET}"
  scopes: [openid, profile, offline_access]
  connect: 127.0.0.1:{issuer.origin.rpartition(":")[2]}
applications:
  app:
    externalUrl: {front.url}
    allow: {{groups: [staff]}}
cookie: {{secret: 0123456789abcdef0123456789abcdef}}
"""
        with outpost(tmp_path, stands.identity_port, text):
            visitor = Visitor(stands.ca)
            place, page = visitor.open(f"{front.url}/wanted?a=b")
            assert "Issuer" in page.text, (place, page)
            place, page = visitor.submit(place, page)

            assert (place, page.status) == (f"{front.url}/wanted?a=b", 200), (place, page)
            assert "x-authentik-username: carol" in page.text.lower()
            assert visitor.get(f"{front.url}/again").status == 200

            left = visitor.get(f"{front.url}/outpost.goauthentik.io/sign_out")
            assert left.one("Location").startswith(f"{issuer.origin}/realms/main/logout")
            place, page = visitor.open(f"{front.url}/again")
            assert "Issuer" in page.text
