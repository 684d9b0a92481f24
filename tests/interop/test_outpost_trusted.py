"""``doorward outpost`` with a second issuer that only signs tokens for programs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from peers.openid_provider import CLIENT, SECRET, serving
from peers.outpost_program import outpost
from peers.processes import eventually, free_port
from peers.proxies import demonstration_application
from peers.questions import ask

pytestmark = pytest.mark.interop


def test_a_build_gets_in_with_its_own_token(tmp_path: Path) -> None:
    """For this application, of the right repository; and the outpost is ready although that issuer is not there yet."""
    port, ci_port = free_port(), free_port()
    with serving(free_port()) as people, demonstration_application(tmp_path) as whoami:
        text = f"""\
            listen: "127.0.0.1:{port}"
            issuer:
              url: {people.issuer}
              clientId: {CLIENT}
              clientSecret: "{SECRET}"
              connect: 127.0.0.1:{people.origin.rpartition(":")[2]}
            applications:
              wiki:
                externalUrl: http://wiki.localhost:{port}
                upstreams: [{{url: "http://127.0.0.1:{whoami}"}}]
                allow: {{groups: [staff]}}
                bearerTokens: true
                trustedIssuers:
                  - url: http://id.localhost:{ci_port}/realms/main
                    connect: 127.0.0.1:{ci_port}
                    audiences: [https://wiki.example.com]
                    allow: {{claims: {{repository: [acme/wiki]}}}}
            cookie: {{secret: 0123456789abcdef0123456789abcdef}}
            """
        with outpost(tmp_path, port, text), serving(ci_port) as ci:
            claims = {
                "iss": ci.issuer,
                "aud": "https://wiki.example.com",
                "sub": "repo:acme/wiki",
                "repository": "acme/wiki",
                "exp": int(time.time()) + 600,
            }

            def asked(**changes: str) -> tuple[int, str]:
                token = ci.sign({**claims, **changes})
                answer = ask(f"http://wiki.localhost:{port}/", headers=[("Authorization", f"Bearer {token}")])
                return answer.status, answer.text.lower()

            eventually(lambda: asked()[0] == 200, within=60, what="the issuer's keys are known")
            told = asked()[1]
            assert "x-authentik-username: repo:acme/wiki" in told
            assert "authorization:" not in told
            assert asked(aud="https://blog.example.com")[0] == 401
            assert asked(repository="mallory/wiki")[0] == 401
