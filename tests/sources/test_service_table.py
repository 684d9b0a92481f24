"""What one service says about another, and what becomes of it when that cannot be."""

from __future__ import annotations

import pytest

from doorward.messages import routing as messages
from doorward.sources.balancers import cookie_name
from sources.compiling import compiled, router

BASE = """
http:
  routers:
    r: {{rule: "Host(`a.test`)", service: s}}
  services:
    plain: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:1"}}]}}}}
    checked: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:2"}}], healthCheck: {{path: /}}}}}}
    watched: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:3"}}], passiveHealthCheck: {{}}}}}}
    {more}
"""


def table(more: str) -> messages.RoutingTable:
    return compiled(BASE.format(more=more)).table


def reason(more: str) -> str:
    return router(compiled(BASE.format(more=more)), "r@file").broken


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("s: {weighted: {services: [{name: nope}]}}", "the service 'nope@file' does not exist"),
        ("s: {weighted: {services: [{name: plian}]}}", "did you mean 'plain@file'?"),
        ("s: {weighted: {services: [{name: s}]}}", "consists of itself: s@file → s@file"),
        (
            "s: {mirroring: {service: t}}\n    t: {failover: {service: checked, fallback: s}}",
            "consists of itself: s@file → t@file → s@file",
        ),
        ("s: {}", "the service 's@file' has no type"),
        (
            "s: {weighted: {services: [{name: plain}]}, loadBalancer: {}}",
            "the service 's@file' has two types, loadBalancer and weighted",
        ),
        ("s: {weighted: {services: [{name: identity@internal}]}}", "cannot have 'identity@internal' as a part"),
        ("s: {failover: {service: checked, fallback: outpost@internal}}", "cannot have 'outpost@internal' as a part"),
        ("s: {weighted: {services: [{name: plain}], healthCheck: {}}}", "'plain@file', which has no healthCheck"),
        ("s: {failover: {service: plain, fallback: checked}}", "'plain@file', which has no healthCheck"),
        (
            "s: {failover: {service: checked, fallback: plain, healthCheck: {}}}",
            "'plain@file', which has no healthCheck",
        ),
        (
            "s: {failover: {service: t, fallback: plain}}\n    t: {weighted: {services: [{name: checked}]}}",
            "'t@file', which has no healthCheck",
        ),
    ],
)
def test_a_service_that_cannot_be_breaks_its_router(more: str, why: str) -> None:
    """503 with the reason, and the rest of the table is used."""  # S-220
    assert why in reason(more)
    assert "plain@file" in table(more).services
    assert "s@file" not in table(more).services


@pytest.mark.parametrize(
    "more",
    [
        "s: {failover: {service: checked, fallback: plain}}",
        "s: {failover: {service: watched, fallback: plain}}",
        "s: {failover: {service: plain, fallback: checked, errors: {status: ['500']}}}",
        "s: {weighted: {services: [{name: checked}, {name: watched}], healthCheck: {}}}",
        "s: {failover: {service: t, fallback: plain}}\n"
        "    t: {weighted: {services: [{name: checked}], healthCheck: {}}}",
        "s: {weighted: {services: [{name: plain}, {name: t}]}}\n    t: {mirroring: {service: plain}}",
    ],
)
def test_services_of_services(more: str) -> None:
    """Health is known where it is looked at; the same service may be a part of several."""
    assert reason(more) == ""


def test_depth_has_an_end() -> None:
    """Seventeen services in one another are a mistake; the sixteen below go on working."""
    chain = "\n    ".join(f"c{n}: {{weighted: {{services: [{{name: c{n + 1}}}]}}}}" for n in range(16))
    end = "c16: {weighted: {services: [{name: plain}]}}"

    assert "nested deeper than 16" in reason(f"{chain}\n    {end}\n    s: {{weighted: {{services: [{{name: c0}}]}}}}")
    assert reason(f"{chain}\n    {end}\n    s: {{weighted: {{services: [{{name: c2}}]}}}}") == ""


def test_a_thousand_deep_is_refused_and_not_a_crash() -> None:
    """Whoever generates such a thing is told."""
    chain = "\n    ".join(f"c{n}: {{weighted: {{services: [{{name: c{n + 1}}}]}}}}" for n in range(1000))

    assert "nested deeper" in reason(f"{chain}\n    s: {{weighted: {{services: [{{name: c0}}]}}}}")


def test_the_cookie_is_called_as_traefik_calls_it() -> None:
    """Seen on the original: clients keep their server when Doorward takes its place."""
    assert (cookie_name("app@file"), cookie_name("mix@file")) == ("_fb0b0", "_9cc55")


def test_a_child_keeps_the_name_that_was_written() -> None:
    """The sticky cookie's value is made of it, as in the original."""
    made = table("s: {weighted: {services: [{name: plain}, {name: checked@file}]}}").services["s@file"]

    assert isinstance(made, messages.Weighted)
    assert [(child.service, child.written) for child in made.services] == [
        ("plain@file", "plain"),
        ("checked@file", "checked@file"),
    ]


MIDDLEWARES = """
http:
  routers:
    r: {rule: "Host(`a.test`)", service: s, middlewares: [first]}
    other: {rule: "Host(`b.test`)", service: s}
  middlewares:
    first: {stripPrefix: {prefixes: [/1]}}
    second: {chain: {middlewares: [third]}}
    third: {stripPrefix: {prefixes: [/3]}}
  services:
    s: {loadBalancer: {servers: [{url: "http://127.0.0.1:1"}]}, middlewares: [%s]}
    w: {weighted: {services: [{name: s}]}}
"""


def test_middlewares_of_a_service_come_after_those_of_its_router() -> None:
    """For every router that names it, chains taken apart."""
    result = compiled(MIDDLEWARES % "second")

    assert [made.name for made in router(result, "r@file").middlewares] == ["first@file", "third@file"]
    assert [made.name for made in router(result, "other@file").middlewares] == ["third@file"]


def test_a_middleware_of_a_service_that_is_missing() -> None:
    """Closes the routers that name the service (S-220)."""
    result = compiled(MIDDLEWARES % "nope")

    assert "'nope@file' does not exist" in router(result, "r@file").broken
    assert "'nope@file' does not exist" in router(result, "other@file").broken


def test_a_service_with_middlewares_is_no_part_of_another() -> None:
    """It would be reached without them."""
    result = compiled((MIDDLEWARES % "second").replace("service: s, middlewares", "service: w, middlewares"))

    assert "cannot have 's@file' as a part, because that has middlewares" in router(result, "r@file").broken
    assert router(result, "other@file").broken == ""
