"""Applications in proxy mode as routes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from doorward.config.dynamic import DynamicConfiguration
from doorward.messages.outposts import OutpostConfiguration, ProxyProvider
from doorward.messages.routing import ForwardAuth, LoadBalancer
from doorward.sources.applications import ProxiedApplications, of_proxy_mode
from doorward.sources.compile import Compiled, Surroundings, compile_table
from doorward.sources.routes import Routing, follow
from sources.compiling import STATIC, dynamic_of, router, static_of


def provider(pk: int = 1, host: str = "https://wiki.example.test", **fields: object) -> ProxyProvider:
    plain = {
        "pk": pk,
        "name": f"Provider {pk}",
        "outpost": "embedded",
        "application_slug": f"app-{pk}",
        "application_name": f"App {pk}",
        "external_host": host,
        **dict.fromkeys(("client_id", "client_secret", "cookie_secret", "issuer", "jwks_uri"), "x"),
        **dict.fromkeys(("authorization_endpoint", "token_endpoint", "end_session_endpoint"), "x"),
        "keys": (),
        "scopes": (),
        "mode": "proxy",
        "internal_host": "http://10.0.0.7:3000",
    }
    return ProxyProvider(**{**plain, **fields})  # type: ignore[arg-type]


def compiled(
    *providers: ProxyProvider, file: str = "", static: str = STATIC, headers: tuple[str, ...] = ()
) -> Compiled:
    outposts = of_proxy_mode(OutpostConfiguration(providers=providers, additional_headers=headers))
    files = {"file": dynamic_of(file)} if file else {"file": DynamicConfiguration()}
    return compile_table(static_of(static), files, Surroundings(outposts=outposts))


def test_an_application_becomes_a_route_with_the_outpost_before_it() -> None:
    """Its host, our own outpost asked by a call, its inside host; on every entry point for people."""
    result = compiled(provider())

    for name in ("app-1@outpost", "websecure-app-1@outpost"):
        made = router(result, name)
        (auth,) = made.middlewares
        assert isinstance(auth, ForwardAuth)
        assert auth.fused
        assert made.rule_text == "Host(`wiki.example.test`)"
    service = result.table.services["app-1@outpost"]
    assert isinstance(service, LoadBalancer)
    assert [server.url for server in service.servers] == ["http://10.0.0.7:3000"]
    assert service.pass_host_header


def test_only_those_in_proxy_mode_become_routes() -> None:
    """The others are for other proxies to ask about."""
    result = compiled(provider(mode="forward_single"), provider(2, mode="forward_domain"))

    assert not [made for made in result.table.routers if made.name.endswith("@outpost")]


def test_of_two_with_one_outside_url_the_older_one_counts() -> None:
    """The outpost judges for the older one, so nobody else may be behind it, whatever its mode is."""
    result = compiled(provider(2), provider(1, mode="forward_single"))

    assert not [made for made in result.table.routers if made.name.endswith("@outpost")]


@pytest.mark.parametrize(
    "inside", ["http://localhost:443", "https://127.0.0.1", "http://[::1]:80", "http://localhost:9000"]
)
def test_an_application_that_would_be_ourselves_has_no_server(inside: str) -> None:
    """503 and a reason, instead of requests that go round."""
    result = compiled(provider(internal_host=inside))

    service = result.table.services["app-1@outpost"]
    assert isinstance(service, LoadBalancer)
    assert not service.servers
    assert any("this program itself" in warning for warning in result.warnings)


def test_what_users_attributes_may_set_is_the_outposts_alone() -> None:
    """Names that would take away what a message needs are not among them (S-115)."""
    (auth,) = router(compiled(provider(), headers=("x-team", "cookie", "host")), "app-1@outpost").middlewares

    assert isinstance(auth, ForwardAuth)
    assert "x-team" in auth.auth_response_headers
    assert not {"cookie", "host", "Authorization"} & set(auth.auth_response_headers)


def test_an_entry_points_own_middlewares_come_first() -> None:
    """What holds for every request there holds for these as well."""
    static = STATIC.replace("http: {tls: {}}", "http: {tls: {}, middlewares: [strict@file]}")
    file = "http: {middlewares: {strict: {headers: {frameDeny: true}}}}"
    made = router(compiled(provider(), file=file, static=static), "websecure-app-1@outpost")

    assert [type(middleware).__name__ for middleware in made.middlewares] == ["Headers", "ForwardAuth"]


def test_an_unprotected_twin_in_a_file_is_a_warning() -> None:
    """S-221: the operator hears that two routers answer for one host, one of them without authentication."""
    file = """
http:
  routers: {wiki: {rule: "Host(`wiki.example.test`)", entryPoints: [web], service: s}}
  services: {s: {loadBalancer: {servers: [{url: "http://10.0.0.7:3000"}]}}}
"""
    result = compiled(provider(), file=file)

    assert any("(with authentication)" in warning for warning in result.warnings)


async def test_a_change_makes_a_new_table_and_nothing_else_does(tmp_path: Path) -> None:
    """What the identity provider says of other applications does not disturb the routes."""
    applications = ProxiedApplications()
    applications.use(OutpostConfiguration(providers=(provider(),)))
    async with aclosing(follow(static_of(STATIC), applications=applications)) as outcomes:
        first = await anext(outcomes)
        assert isinstance(first, Routing)
        assert router(Compiled(first.table, (), ()), "app-1@outpost")
        applications.use(OutpostConfiguration(position=9, providers=(provider(), provider(2, mode="forward_single"))))
        waiting = asyncio.ensure_future(anext(outcomes))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        applications.use(OutpostConfiguration())
        second = await waiting
    assert isinstance(second, Routing)
    assert not [made for made in second.table.routers if made.name.endswith("@outpost")]
