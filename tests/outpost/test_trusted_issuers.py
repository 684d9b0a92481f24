"""Programs with tokens of issuers at which nobody logs in: a CI system, a cluster."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from doorward.messages.outposts import Admission, ForeignIssuer, RequiredClaim, TrustedIssuer
from doorward.outpost.standalone import discovery
from doorward.outpost.standalone.discovery import NotAnIssuer
from outpost.alone import Alone, application
from outpost.world import identity
from peers.openid_provider import Provider

AUDIENCE = "https://wiki.example.test"
RULES = ForeignIssuer(
    username_claims=("sub",),
    admission=Admission(claims=(RequiredClaim("repository", ("acme/wiki",)),)),
    userinfo="never",
)


class Builds:
    """A CI system that signs tokens, and an outpost that trusts it."""

    def __init__(self) -> None:
        self.alone = Alone(provider=application(intercept_header_auth=True))
        self.ci = Provider("https://ci.example.test", now=self.alone.clock)
        self.fetched = 0
        self.fetch_keys()
        self.alone.look_at_others = self.fetch_keys

    def fetch_keys(self) -> bool:
        self.fetched += 1
        keys = discovery.read_keys(self.ci.respond("GET", self.ci.paths()["jwks_uri"], {}, b"").body, ("RS256",))
        trusted = TrustedIssuer(self.ci.issuer, ("https://other.example.test", AUDIENCE), RULES, keys)
        self.alone.provider = msgspec.structs.replace(self.alone.provider, trusted=(trusted,))
        return True

    def token(self, signer: Provider | None = None, **changes: Any) -> str:
        now = int(self.alone.clock())
        claims = {
            "iss": self.ci.issuer,
            "aud": AUDIENCE,
            "sub": "repo:acme/wiki:ref:refs/heads/main",
            "repository": "acme/wiki",
            "preferred_username": "carol",
            "iat": now,
            "exp": now + 60,
        }
        return (signer or self.ci).sign({**claims, **changes})

    async def ask(self, token: str) -> Any:
        return await self.alone.browser().get("/", Authorization=f"Bearer {token}")


@pytest.fixture
async def builds() -> Builds:
    builds = Builds()
    await builds.alone.learned()
    return builds


async def test_a_token_for_the_application_lets_a_program_in(builds: Builds) -> None:
    """As whom the rules for that issuer say, which is not a name that the program chose; without the token."""
    passed = await builds.ask(builds.token())

    assert passed.status == 200
    assert identity(passed)["X-authentik-username"] == "repo:acme/wiki:ref:refs/heads/main"
    assert identity(passed)["X-authentik-jwt"] == ""
    assert (await builds.ask(builds.token(aud=["x", AUDIENCE]))).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://somewhere-else.test"},
        {"aud": "outpost-client"},
        {"repository": "mallory/fork"},
        {"repository": None},
        {"exp": 1},
        {"nbf": 32503680000},
        {"iss": "https://evil.test"},
        {"sub": ""},
    ],
    ids=str,
)
async def test_other_tokens_let_nobody_in(builds: Builds, changes: dict[str, Any]) -> None:
    """For somebody else, of another repository, out of their time, of an issuer that nobody named."""  # S-318, S-334
    assert (await builds.ask(builds.token(**changes))).status == 401


async def test_each_issuer_speaks_with_its_own_keys_only(builds: Builds) -> None:
    """The issuer of the people cannot sign for the CI system, nor the CI system for it."""  # S-334
    forged = builds.token(signer=builds.alone.issuer)
    as_person = builds.token(iss=builds.alone.issuer.issuer, aud="outpost-client", groups=["staff"])

    assert (await builds.ask(forged)).status == 401
    assert (await builds.ask(as_person)).status == 401


async def test_a_new_key_is_fetched(builds: Builds) -> None:
    """A token that names a key that we do not know makes us look at that issuer's keys."""
    builds.ci.new_key("second")
    before = builds.fetched

    assert (await builds.ask(builds.token())).status == 200
    assert builds.fetched == before + 1


async def test_a_new_key_of_the_peoples_issuer_is_fetched_for_programs_too(builds: Builds) -> None:
    """The first token that is signed with it opens, not only the second."""
    builds.alone.clock.advance(60)
    builds.alone.issuer.new_key("second")
    now = int(builds.alone.clock())
    claims = {"iss": builds.alone.issuer.issuer, "aud": "outpost-client", "sub": "robot", "iat": now, "exp": now + 60}

    assert (await builds.ask(builds.alone.issuer.sign({**claims, "preferred_username": "robot"}))).status == 200


async def test_without_bearer_tokens_nothing_is_looked_at(builds: Builds) -> None:
    """The field is the application's then."""  # S-319
    builds.alone.provider = msgspec.structs.replace(builds.alone.provider, intercept_header_auth=False)
    await builds.alone.known.learn()
    builds.alone.restart()
    await builds.alone.learned()

    assert (await builds.ask(builds.token())).status == 302


def test_an_issuer_that_nobody_logs_in_at_needs_keys_only() -> None:
    """GitHub and Kubernetes publish no authorization endpoint; people's issuers must."""
    body = json.dumps({"issuer": "https://ci.example.test", "jwks_uri": "https://ci.example.test/keys"}).encode()

    assert discovery.read(body, "https://ci.example.test", keys_only=True).jwks_uri == "https://ci.example.test/keys"
    with pytest.raises(NotAnIssuer, match="authorization_endpoint"):
        discovery.read(body, "https://ci.example.test")
    with pytest.raises(NotAnIssuer, match="jwks_uri"):
        discovery.read(
            body.replace(b"https://ci.example.test/keys", b"http://x"), "https://ci.example.test", keys_only=True
        )
